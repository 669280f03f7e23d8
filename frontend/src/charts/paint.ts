/** Bars on a canvas. */
import { type Bars, LABEL_PX, type Plot, type Rect, stackAt } from "@/charts/bars";

/** A canvas knows no CSS variables. */
export const themed = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

export const labelFamily = (): string => getComputedStyle(document.body).fontFamily;
const labelFont = (): string => `${LABEL_PX}px ${labelFamily()}`;

/** Pixels that a label takes. */
export function labelWidth(canvas: HTMLCanvasElement): (text: string) => number {
  const pen = canvas.getContext("2d");
  if (!pen) return (text) => text.length * LABEL_PX * 0.6;
  pen.font = labelFont();
  return (text) => pen.measureText(text).width;
}

export function paint(
  canvas: HTMLCanvasElement,
  bars: Bars,
  plot: Plot,
  width: number,
  height: number,
): void {
  const scale = devicePixelRatio;
  // This clears it too.
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(scale, scale);
  axes(pen, plot);
  const fills = new Map(bars.series.map(({ fill }) => [fill, themed(fill)]));
  const panel = themed("--panel");
  for (const at of bars.labels.keys()) {
    const partial = bars.partial?.has(at) === true;
    for (const bar of stackAt(bars, plot, at)) {
      pen.globalAlpha = partial ? 0.7 : 1;
      pen.fillStyle = fills.get(bar.fill) ?? "";
      pen.fillRect(bar.x, bar.y, bar.width, bar.height);
      if (partial) hatch(pen, bar, panel);
    }
  }
}

function axes(pen: CanvasRenderingContext2D, plot: Plot): void {
  const [line, mute] = [themed("--line"), themed("--mute")];
  pen.font = labelFont();
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  const base = plot.y(0);
  for (const { y, text } of plot.ticks) {
    pen.globalAlpha = y === base ? 1 : 0.6;
    pen.fillStyle = line;
    pen.fillRect(plot.left, Math.round(y), plot.right - plot.left, 1);
    pen.globalAlpha = 1;
    pen.fillStyle = mute;
    pen.fillText(text, plot.left - 8, y);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { x, text } of plot.names) pen.fillText(text, x, plot.bottom + 8);
}

const STRIPES_PX = 5;

function hatch(pen: CanvasRenderingContext2D, { x, y, width, height }: Rect, colour: string): void {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, width, height);
  pen.clip();
  pen.beginPath();
  for (let at = x - height; at < x + width; at += STRIPES_PX) {
    pen.moveTo(at, y + height);
    pen.lineTo(at + height, y);
  }
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.stroke();
  pen.restore();
}
