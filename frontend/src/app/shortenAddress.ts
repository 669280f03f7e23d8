/**
 * What stands in the address bar while a page's address is longer than browsers and proxies take: a
 * short link to the same place. The router goes on with the whole of it.
 */
import { shortened } from "@/lib/shortLink";

interface Placed {
  readonly location: { readonly href: string };
}

const SETTLED_MS = 800;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Once the place has stayed the same for a moment; typing makes many. */
export function shortenAddress(history: Placed): void {
  clearTimeout(waiting);
  const { href } = history.location;
  waiting = setTimeout(async () => {
    try {
      const short = await shortened(new URL(href, location.origin).href);
      // The router's own `replaceState` would take it for a place to go to.
      if (history.location.href === href) {
        History.prototype.replaceState.call(window.history, window.history.state, "", short);
      }
    } catch {
      // The long address stays: it works here, and what cannot be kept is said where links are copied.
    }
  }, SETTLED_MS);
}
