/** The shared worker: one keeper for all pages of this browser. */
import { keeper } from "./keeper";
import type { Asked } from "./protocol";

const kept = keeper();
const scope = self as unknown as { onconnect: (event: MessageEvent) => void };

scope.onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  port.onmessage = (message: MessageEvent<Asked>) => kept.heard(port, message.data);
};

setInterval(() => kept.sweep(Date.now()), 60_000);
