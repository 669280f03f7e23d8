/** A name for a query; enough that no two of a browser are ever the same. */
export function newQueryId(): string {
  // Not `randomUUID`: that is only there over HTTPS.
  const random = crypto.getRandomValues(new Uint8Array(12));
  return [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
