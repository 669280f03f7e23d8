/** The inline error of the query bar. */
import { useQuery } from "@tanstack/react-query";
import { ApiError, answered, api } from "@/api/client";

/** What is wrong with the typed text itself, with places that count from its own first character. */
export function useQueryError(text: string, withPills: boolean, error: Error | null) {
  const bad = error instanceof ApiError && error.body.code === "bad_query" ? error.body : null;
  // With pills the sent query begins with a parenthesis, and may even close one that was typed.
  const alone = useQuery({
    queryKey: ["explain", text],
    enabled: withPills && text.trim() !== "",
    queryFn: ({ signal }) =>
      answered(api.GET("/api/v1/explain", { params: { query: { query: text } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (!withPills) return bad;
  return alone.error instanceof ApiError && alone.error.body.code === "bad_query" ? alone.error.body : bad;
}
