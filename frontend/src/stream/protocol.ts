/** What a page and the keeper of the streams say to each other. */
import type { ErrorBody } from "@/api/client";
import type { ServerEvent } from "./sse";

export type StreamState =
  | { readonly kind: "connecting" }
  /** A new connection: the counts in its `status` events begin at 0; unless it was
   * `joined`: then they began when another page opened it. */
  | { readonly kind: "open"; readonly resumed: boolean; readonly joined?: true }
  /** Lost; opened again at `retryAtMs` (epoch). */
  | { readonly kind: "waiting"; readonly retryAtMs: number; readonly reason: string }
  /** The server will not have it; asking again would not help. */
  | { readonly kind: "refused"; readonly error: ErrorBody }
  /** No page that follows it can be seen; opened again as soon as one can. */
  | { readonly kind: "asleep" }
  /** Too many different streams are followed in this browser; this was the oldest. */
  | { readonly kind: "taken" };

/** From a page. `visible` doubles as a sign of life. */
export type Asked =
  | { readonly type: "follow"; readonly url: string; readonly resume: string; readonly visible: boolean }
  | { readonly type: "leave" }
  | { readonly type: "visible"; readonly visible: boolean };

/** To a page. `url` tells late messages of a stream that was left. */
export type Told =
  | { readonly type: "event"; readonly url: string; readonly event: ServerEvent }
  | { readonly type: "state"; readonly url: string; readonly state: StreamState };
