// Before the first paint: the chosen theme, so that no page flashes in the other one.
(() => {
  let chosen = "system";
  try {
    chosen = localStorage.getItem("logstream.theme") ?? "system";
  } catch {
    // Storage can be switched off; then the system's theme it is.
  }
  const dark =
    chosen === "dark" || (chosen === "system" && !matchMedia("(prefers-color-scheme: light)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
