/** The dashboard's API, typed from its own OpenAPI document. */
import type createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schema = components["schemas"];
export type LogRecord = Schema["RecordAnswer"];
export type ErrorBody = Schema["ErrorBody"];

type Client = ReturnType<typeof createClient<paths>>;

interface Asked {
  readonly params?: {
    readonly path?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, unknown>>;
  };
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** Gives the answer to what was sent already. */
  readonly fetch?: typeof fetch;
}

// The library's types with what is used of its code: it would be a fiftieth of the first load.
const asking =
  (method: string) =>
  async (path: string, asked: Asked = {}) => {
    const { params, body, signal, fetch: send = fetch } = asked;
    const filled = path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params?.path?.[name] ?? ""));
    const url = new URL(`.${filled}`, document.baseURI);
    for (const [name, value] of Object.entries(params?.query ?? {})) {
      if (value !== undefined && value !== null) url.searchParams.set(name, String(value));
    }
    const response = await send(url, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      ...(signal ? { signal } : {}),
    });
    if (response.ok) return { data: await response.json(), response };
    const text = await response.text();
    try {
      return { error: JSON.parse(text) as unknown, response };
    } catch {
      return { error: text, response }; // not the API's own answer: a proxy's page, say
    }
  };

export const api = {
  GET: asking("GET"),
  POST: asking("POST"),
  PUT: asking("PUT"),
  DELETE: asking("DELETE"),
} as unknown as Pick<Client, "GET" | "POST" | "PUT" | "DELETE">;

/** What the API refused, with everything it said about it. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.name = "ApiError";
    this.status = status;
    this.body = body;
  }
}

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** ", again in 5 s" where the server says when it is worth asking again. */
export const againIn = (error: Error | null): string =>
  error instanceof ApiError && error.body.retry_after_s ? `, again in ${error.body.retry_after_s} s` : "";

/** The data of an answer, or an `ApiError`. */
export async function answered<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (data !== undefined) return data;
  throw new ApiError(response.status, errorBody(error, response));
}

function errorBody(error: unknown, response: Response): ErrorBody {
  if (typeof error === "object" && error !== null && "error" in error) return error.error as ErrorBody;
  const after = Number(response.headers.get("retry-after"));
  return {
    ...(after > 0 ? { retry_after_s: after } : {}),
    code: "unreadable",
    message: `The server answered ${response.status} with nothing this page understands`,
    request_id: response.headers.get("x-request-id") ?? "",
  };
}
