/** The chart's numbers as a table, for those who hear the page. */
import { memo } from "react";
import { type HistogramAnswer, intervalLabel, seriesOf } from "@/charts/histogram";
import { whole } from "@/lib/format";
import { showTimestamp, type Zone } from "@/lib/time";

interface HistogramTableProps {
  readonly answer: HistogramAnswer;
  readonly zone: Zone;
}

export const HistogramTable = memo(function HistogramTable({ answer, zone }: HistogramTableProps) {
  const series = seriesOf(answer);
  return (
    <div className="sr-only">
      <table>
        <caption>Records over time, {intervalLabel(answer.interval_s)} a row</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col">All</th>
            {series.map((one) => (
              <th key={one.value} scope="col">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.buckets
            .filter((bucket) => bucket.total > 0)
            .map((bucket) => (
              <tr key={bucket.start}>
                <th scope="row">
                  {showTimestamp(bucket.start, zone, { date: true, digits: 0 })}
                  {bucket.partial ? ", partial" : ""}
                </th>
                <td>{whole(bucket.total)}</td>
                {series.map((one) => (
                  <td key={one.value}>{whole(bucket.counts[one.value] ?? 0)}</td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
});
