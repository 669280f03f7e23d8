/** The dashboard's API, typed from its own OpenAPI document. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schema = components["schemas"];
export type LogRecord = Schema["RecordAnswer"];
export type ErrorBody = Schema["ErrorBody"];

export const api = createClient<paths>({ baseUrl: new URL(".", document.baseURI).href.replace(/\/$/, "") });

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

/** The data of an answer, or an `ApiError`. */
export async function answered<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call;
  if (data !== undefined) return data;
  throw new ApiError(response.status, errorBody(error, response));
}

function errorBody(error: unknown, response: Response): ErrorBody {
  if (typeof error === "object" && error !== null && "error" in error) return error.error as ErrorBody;
  return {
    code: "unreadable",
    message: `The server answered ${response.status} with nothing this page understands`,
    request_id: response.headers.get("x-request-id") ?? "",
  };
}
