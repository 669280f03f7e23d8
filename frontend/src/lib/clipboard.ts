/** Puts a text on the clipboard; `false`: the browser would not. */
export async function toClipboard(text: string): Promise<boolean> {
  try {
    // Browsers give no clipboard to pages over plain HTTP from another machine.
    if (!navigator.clipboard) return bySelection(text);
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return bySelection(text); // no permission
  }
}

function bySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "sr-only";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
