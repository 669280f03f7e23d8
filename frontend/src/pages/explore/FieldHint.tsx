/** A quiet word about a field that no record in the range has, where another was perhaps meant. */
import { useQuery } from "@tanstack/react-query";
import { answered, api, type Schema } from "@/api/client";
import { splitPipes } from "@/lib/filters";
import { corrected, didYouMean, unknownNames } from "@/pages/explore/didYouMean";
import type { Run } from "@/pages/explore/useResults";

interface FieldHintProps {
  readonly text: string;
  readonly run: Run;
  /** Fields of the records that match. */
  readonly known: readonly Schema["FieldAnswer"][];
  readonly onText: (text: string) => void;
}

export function FieldHint({ text, run, known, onText }: FieldHintProps) {
  const { from, to } = run;
  const [filter] = splitPipes(text);
  const matching = known.map((field) => field.name);
  // Those of everything in the range are asked for only where a name is not among those that match.
  const everything = useQuery({
    queryKey: ["fields", "", from, to],
    enabled: unknownNames(filter, matching).length > 0,
    queryFn: ({ signal }) => answered(api.GET("/api/v1/fields", { params: { query: { from, to } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!everything.data) return null;
  const [first] = didYouMean(filter, [...matching, ...everything.data.fields.map((field) => field.name)]);
  if (!first) return null;
  return (
    <p role="status" className="-mt-1 px-8 text-[12px] text-mute">
      No record here has a field <bdi className="font-mono">{first.written}</bdi>. Did you mean{" "}
      <button
        type="button"
        className="font-mono text-accent hover:underline"
        onClick={() => onText(corrected(text, first))}
      >
        {first.meant}
      </button>
      ?
    </p>
  );
}
