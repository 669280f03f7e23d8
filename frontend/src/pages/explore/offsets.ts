/** Time between two timestamps, to the nanosecond they carry. */

const NS = 1_000_000_000n;

function nanoseconds(timestamp: string): bigint {
  const [, whole = timestamp, fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
  return (BigInt(Date.parse(`${whole}Z`)) / 1_000n) * NS + BigInt(fraction.padEnd(9, "0").slice(0, 9));
}

/** `0 ms`, `1.204 ms`, `3.2 s`: from the one to the other. */
export function sinceStart(start: string, timestamp: string): string {
  const passed = Number(nanoseconds(timestamp) - nanoseconds(start));
  if (passed < 1e9) return `${(passed / 1e6).toFixed(passed < 1e6 && passed > 0 ? 3 : 1)} ms`;
  return passed < 6e10 ? `${(passed / 1e9).toFixed(2)} s` : `${(passed / 6e10).toFixed(1)} min`;
}

/** The moment one nanosecond later: an end that still includes it. */
export function justAfter(timestamp: string): string {
  const next = nanoseconds(timestamp) + 1n;
  const whole = new Date(Number(next / NS) * 1e3).toISOString().slice(0, 19);
  return `${whole}.${String(next % NS).padStart(9, "0")}Z`;
}
