/**
 * What runs first, and is small: the first question goes out, then what index.html holds is drawn,
 * and only then the application runs, whose files the browser has been fetching all the while.
 */
import { askEarly } from "@/early";
import { defaultView, enteredWith } from "@/lib/defaultView";
import "@/theme.css";

const explore = new URL("explore", document.baseURI).href;
if (location.href === explore) {
  const first = enteredWith(defaultView());
  if (first) history.replaceState(null, "", `${explore}?${first}`);
}
const early = askEarly(new URL(location.href), document.baseURI);
// A page that nobody looks at is not drawn.
if (document.visibilityState === "visible") {
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
}
if (early) void import("@/pages/explore/ExplorePage");
await import("@/app/start");
