/** What a token stood for in the records that were looked at. */
import { percent, whole } from "@/lib/format";
import { distinctText, kindWords, type Token } from "@/pages/patterns/patterns";
import { kindColour } from "@/pages/patterns/TemplateText";
import { LogText } from "@/ui/LogText";

interface TokenValuesProps {
  readonly token: Token;
  /** Records that the shares are of. */
  readonly total: number;
  readonly most?: number;
}

/** Of values that are all different a few say as much as many. */
const EXAMPLES = 3;

export function TokenValues({ token, total, most = 10 }: TokenValuesProps) {
  const largest = token.values[0]?.count ?? 1;
  const unlike = largest === 1 && token.distinct > EXAMPLES;
  return (
    <>
      <p className="flex items-baseline gap-2 text-[12px]">
        <span className={`font-mono ${kindColour(token.kind)}`}>{`<${token.kind}>`}</span>
        <span className="text-mute tabular-nums">
          {kindWords(token.kind)} · {distinctText(token)}
          {unlike ? ", each once, such as" : ""}
        </span>
      </p>
      <ul className="mt-1 space-y-0.5">
        {token.values.slice(0, unlike ? EXAMPLES : most).map(({ value, count }) => (
          <li key={value} className="grid grid-cols-[minmax(0,1fr)_72px_auto_48px] items-center gap-2">
            <span className="truncate font-mono text-[12px]" title={value}>
              {value === "" ? <span className="text-mute">(empty)</span> : <LogText text={value} />}
            </span>
            <span aria-hidden="true" className="h-[5px] rounded-full bg-raised">
              <span
                className="block h-full rounded-full bg-accent/70"
                style={{ width: `${Math.max((count / largest) * 100, 2)}%` }}
              />
            </span>
            <span className="text-right text-[12px] tabular-nums">{whole(count)}</span>
            <span className="text-right text-[11px] text-mute tabular-nums">{percent(count / total)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
