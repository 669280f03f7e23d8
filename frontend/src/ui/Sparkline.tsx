/** A small line in the text's colour: decoration beside the number it belongs to. */
import { sparkPaths } from "@/ui/sparkline";

interface SparklineProps {
  series: readonly (number | null)[];
  /** How many numbers fill the width. */
  slots?: number;
  className?: string;
}

export function Sparkline({ series, slots = 2, className = "h-7 w-full text-accent" }: SparklineProps) {
  const { line, area } = sparkPaths(series, slots);
  return (
    <svg aria-hidden="true" viewBox="0 -4 100 108" preserveAspectRatio="none" className={className}>
      <path d={area} fill="currentColor" opacity="0.14" />
      <path
        d={line}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
