/** Server-sent events out of text that arrives in pieces of any size. */

export interface ServerEvent {
  readonly name: string;
  readonly data: string;
  /** The last id seen on this stream, "" before the first: what to resume from. */
  readonly id: string;
}

/** Feed it text as it comes; it answers with the events that are whole by then. */
export type SseParser = (text: string) => readonly ServerEvent[];

/** `onRetry`: the server's wish how soon, in ms, a lost stream is opened again. */
export function sseParser(onRetry: (ms: number) => void = () => {}): SseParser {
  let rest = "";
  let searched = 0;
  let started = false;
  let id = "";
  let name = "";
  let data: string[] = [];

  function line(text: string, events: ServerEvent[]): void {
    if (text === "") {
      if (data.length > 0) events.push({ name: name || "message", data: data.join("\n"), id });
      name = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "data") data.push(value);
    else if (field === "event") name = value;
    else if (field === "id" && !value.includes("\0")) id = value;
    else if (field === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
  }

  return (text) => {
    rest += !started && text.startsWith("\ufeff") ? text.slice(1) : text;
    started ||= text !== "";
    const events: ServerEvent[] = [];
    let from = 0;
    // A line of megabytes comes in many pieces: what was searched is not searched again.
    for (let end = lineEnd(rest, searched); end >= 0; end = lineEnd(rest, from)) {
      const carriage = rest[end] === "\r";
      // A \r at the very end may be half of \r\n.
      if (carriage && end + 1 === rest.length) break;
      line(rest.slice(from, end), events);
      from = end + (carriage && rest[end + 1] === "\n" ? 2 : 1);
    }
    rest = rest.slice(from);
    searched = rest.endsWith("\r") ? rest.length - 1 : rest.length;
    return events;
  };
}

function lineEnd(text: string, from: number): number {
  const feed = text.indexOf("\n", from);
  const before = feed < 0 ? text.length : feed;
  // Only up to the feed: an absent \r would have the whole text searched once a line.
  for (let at = from; at < before; at += 1) if (text.charCodeAt(at) === 13) return at;
  return feed;
}
