"use strict";
// Whatever comes from records goes into text nodes only.
const $ = (id) => document.getElementById(id);
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const percent = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 2 });
const SVG = "http://www.w3.org/2000/svg";

function show(id, value, format) {
  $(id).textContent = value === null ? "–" : format(value);
}

function seconds(value) {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`;
}

function draw(volume) {
  const buckets = volume.buckets;
  const most = Math.max(1, ...buckets.map((bucket) => bucket.total));
  const width = 600 / buckets.length;
  const bars = [];
  buckets.forEach((bucket, i) => {
    const failing = (bucket.counts.error ?? 0) + (bucket.counts.fatal ?? 0);
    for (const [count, kind] of [[bucket.total, "all"], [failing, "failing"]]) {
      if (!count) continue;
      const bar = document.createElementNS(SVG, "rect");
      const height = Math.max(1, (count / most) * 58);
      bar.setAttribute("x", i * width);
      bar.setAttribute("y", 60 - height);
      bar.setAttribute("width", Math.max(width - 1.5, 1));
      bar.setAttribute("height", height);
      bar.setAttribute("class", kind);
      bars.push(bar);
    }
  });
  $("volume").replaceChildren(...bars);
}

function list(records) {
  if (!records.length) {
    const none = document.createElement("li");
    none.className = "quiet";
    none.textContent = "none in the last 15 minutes";
    return $("newest").replaceChildren(none);
  }
  $("newest").replaceChildren(...records.map((record) => {
    const item = document.createElement("li");
    for (const [tag, text] of [
      ["time", new Date(record.timestamp).toLocaleTimeString()],
      ["b", record.service || record.level],
      ["span", record.message],
    ]) {
      const part = document.createElement(tag);
      part.textContent = text;
      item.append(part);
    }
    return item;
  }));
}

function state(kind, text) {
  $("state").className = kind;
  $("state-text").textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/overview");
    const overview = await answer.json();
    if (!answer.ok) throw new Error(overview.error.message);
    show("stored", overview.stored_records, (n) => compact.format(n));
    show("rate", overview.logs_per_s.value, (n) => compact.format(n));
    show("errors", overview.error_rate.value, (n) => percent.format(n));
    show("services", overview.active_services.value, (n) => compact.format(n));
    show("latency", overview.searchable_p95_s.value, seconds);
    show("saved", overview.writes_saved.value, (n) => percent.format(n));
    draw(overview.volume);
    list(overview.newest_errors);
    state("live", overview.stored_records ? "running" : "waiting for the first log");
  } catch (error) {
    state("down", error instanceof TypeError ? "not reachable" : error.message);
  }
  setTimeout(refresh, document.hidden ? 30_000 : 5_000);
}

refresh();
