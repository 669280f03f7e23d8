/** Whether times need their date beside them. */
import { resolveMs } from "@/lib/time";

export function longerThanADay(from: string, to: string): boolean {
  const now = Date.now();
  const [start, end] = [resolveMs(from, now) ?? now, resolveMs(to, now) ?? now];
  return end - start > 8.64e7 || new Date(start).toDateString() !== new Date(now).toDateString();
}
