/**
 * A page's way to a stream. The connection is the shared worker's where there is one, so that all
 * pages of a browser share it; where there is none (Chrome on Android), it is the page's own.
 */
import { keeper } from "./keeper";
import type { Asked, StreamState, Told } from "./protocol";
import type { ServerEvent } from "./sse";

const SIGN_OF_LIFE_MS = 20_000;

export interface Listener {
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: StreamState) => void;
}

/**
 * Follow `path`, relative to the dashboard's root, until the returned function is called.
 *
 * `resume`: id of the last event that was seen; "" from the start.
 */
export function openStream(path: string, resume: string, listener: Listener): () => void {
  const port = line();
  const url = new URL(path, document.baseURI).href;
  let seen = resume;
  const say = (asked: Asked) => port.postMessage(asked);
  const visible = () => document.visibilityState === "visible";
  const join = () => say({ type: "follow", url, resume: seen, visible: visible() });
  port.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.url !== url) return;
    if (data.type === "state") listener.onState(data.state);
    else {
      seen = data.event.id || seen;
      listener.onEvent(data.event);
    }
  };
  const tell = () => say({ type: "visible", visible: visible() });
  const leave = () => say({ type: "leave" });
  // A page kept for the back button hears nothing meanwhile: it leaves, and joins when shown again.
  const shown = (event: PageTransitionEvent) => event.persisted && join();
  const timer = setInterval(tell, SIGN_OF_LIFE_MS);
  document.addEventListener("visibilitychange", tell);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", shown);
  join();
  return () => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", tell);
    removeEventListener("pagehide", leave);
    removeEventListener("pageshow", shown);
    leave();
    port.close();
  };
}

function line(): MessagePort {
  if (typeof SharedWorker !== "undefined") {
    return new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "logstream" })
      .port;
  }
  const { port1, port2 } = new MessageChannel();
  const own = keeper();
  port2.onmessage = ({ data }: MessageEvent<Asked>) => own.heard(port2, data);
  return port1;
}
