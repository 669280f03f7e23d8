import { afterEach, expect, it, vi } from "vitest";
import { ApiError, answered, api } from "@/api/client";

const answer = (body: string, status = 200) =>
  vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response(body, { status }));

const askedOf = (fetched: ReturnType<typeof answer>) => new URL(String(fetched.mock.calls[0]?.[0]));

afterEach(() => vi.restoreAllMocks());

it("writes any name and value into the address so that the server reads exactly it", async () => {
  const fetched = answer("{}");
  const field = 'a/b "c" {d}';
  const query = { query: "a&b=c ü", prefix: "100%", limit: 5 };
  await api.GET("/api/v1/fields/{field}/values", { params: { path: { field }, query } });
  const url = askedOf(fetched);
  expect(decodeURIComponent(url.pathname.split("/").at(-2) ?? "")).toBe(field);
  expect(Object.fromEntries(url.searchParams)).toEqual({ ...query, limit: "5" });
});

it("leaves out what is not given", async () => {
  const fetched = answer("{}");
  await api.GET("/api/v1/pipeline", { params: { query: undefined as never } });
  expect(askedOf(fetched).search).toBe("");
});

it("sends a body as JSON", async () => {
  const fetched = answer('{"records":1}');
  await api.POST("/api/v1/dead-letters/replay", { body: { ids: ["all"] } });
  expect(fetched.mock.calls[0]?.[1]).toMatchObject({ method: "POST", body: '{"ids":["all"]}' });
});

it("throws what the API refused with all it said", async () => {
  answer('{"error":{"code":"bad_query","message":"no","request_id":"r1","column":3}}', 400);
  const refused = await answered(api.GET("/api/v1/info")).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ status: 400, message: "no", body: { column: 3, request_id: "r1" } });
});

it("says so when the answer is not the API's own", async () => {
  answer("<html>Bad gateway</html>", 502);
  await expect(answered(api.GET("/api/v1/info"))).rejects.toThrow("The server answered 502");
});
