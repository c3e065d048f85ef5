"use strict";
(() => {
const { svg, names } = Tokviz;
const FONT = `12px ${getComputedStyle(document.documentElement).getPropertyValue("--sans")}`;
const HEIGHT = 12;
const DESCENT = 3;
const MOST_TRIED = 1200;
const SCALES = { current: 1.25, pinned: 1.06, near: 1.06 };
const widths = new Map();
const context = document.createElement("canvas").getContext("2d");
function widthOf(text) {
if (!widths.has(text)) {
context.font = FONT;
widths.set(text, context.measureText(text).width);
}
return widths.get(text);
}
document.fonts?.ready.then(() => widths.clear());
function placed(labels, others, { x, y, radius, width, height }, most) {
const places = [...labels, ...others.map((row) => ({ row }))].map(({ row, at }) => at ?? [x[row], y[row]]);
return names.inTurn({
x: places.map(([left]) => left),
y: places.map(([, top]) => top),
radius,
shown: places.keys(),
widths: labels.map(({ text, kind }) => widthOf(text) * (SCALES[kind] ?? 1)),
heights: labels.map(() => HEIGHT),
area: { left: 2, top: 1, right: width - 2, bottom: height - 1 },
reach: 0,
}, labels.keys(), most).map(({ row, left, bottom }) => ({ ...labels[row], x: left, y: bottom - DESCENT }));
}
function placeNames(wanted, picture) {
const { x, y, radius, width } = picture;
const found = new Map(placed(wanted, [], picture).map((label) => [label.row, label]));
return wanted.flatMap((label) => {
const { row, text, kind } = label;
if (found.has(row) || kind === "near") return found.get(row) ?? [];
const [left, length] = [x[row] + radius + 4, widthOf(text) * SCALES.current];
const fits = left + length < width - 2;
return { ...label, x: fits ? left : Math.max(2, 2 * x[row] - left - length), y: y[row] + 4 };
});
}
function placeLabels({ wanted, rows, visible, textOf, most, ...picture }) {
const { x, y, width, height } = picture;
const isSeen = (row) => visible[row] && x[row] >= 0 && y[row] >= 0 && x[row] <= width && y[row] <= height;
const isWanted = new Set(wanted.map(({ row }) => row));
const others = [...rows].filter((row) => isSeen(row) && !isWanted.has(row));
const tried = others.slice(0, MOST_TRIED).map((row) => ({ row, text: textOf(row) }));
return placed([...wanted, ...tried], others.slice(MOST_TRIED), picture, wanted.length + most).filter(({ row, kind }) => kind === "layer" || !isWanted.has(row));
}
const TICK_WIDTH = 130;
const TICK_HEIGHT = 90;
const LEAST_PANE = 30;
function axes({ limits, frame, panes: { main, band }, variance, transform, left, top, width, height }) {
const spines = (pane) => svg("path", {
class: "spine", d: `M${left + pane.left - 0.5} ${top + pane.top}V${top + pane.bottom + 0.5}H${left + pane.right}`,
});
const made = [spines(main), ...(band ? [spines(band)] : [])];
if (limits) {
const [x0, x1, y0, y1] = limits;
const valueX = (pixel) => x0 + ((pixel - transform.x) / transform.k / width) * (x1 - x0);
const valueY = (pixel) => y1 - ((pixel - transform.y) / transform.k / height) * (y1 - y0);
const [wide, tall] = [main.right - main.left, main.bottom - main.top];
if (wide > LEAST_PANE) made.push(...horizontal(valueX(main.left), valueX(main.right), { left: left + main.left, bottom: top + height, width: wide }));
if (tall > LEAST_PANE) made.push(...vertical(valueY(main.bottom), valueY(main.top), { left, bottom: top + main.bottom, height: tall }));
}
made.push(svg("text", { x: left + width, y: top + height + 32, "text-anchor": "end" }, axisName(frame, 0, variance)));
made.push(svg("text", { x: left + main.left, y: top + main.top - 7 }, axisName(frame, 1, variance)));
if (band && band.bottom > band.top) made.push(svg("text", { x: left + band.left, y: top + band.top - 7 }, Tokviz.framing.TRUE_SCALE));
return made;
}
const { axisName } = Tokviz.framing;
function horizontal(low, high, { left, bottom, width }) {
return Explore.ticks(low, high, Math.max(3, width / TICK_WIDTH)).flatMap(([value, text]) => {
const x = Math.round(left + ((value - low) / (high - low)) * width) + 0.5;
return [svg("path", { class: "spine", d: `M${x} ${bottom}v5` }), svg("text", { x, y: bottom + 17, "text-anchor": "middle" }, text)];
});
}
function vertical(low, high, { left, bottom, height }) {
return Explore.ticks(low, high, Math.max(3, height / TICK_HEIGHT)).flatMap(([value, text]) => {
const y = Math.round(bottom - ((value - low) / (high - low)) * height) + 0.5;
return [svg("path", { class: "spine", d: `M${left} ${y}h-5` }), svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, text)];
});
}
Object.assign(Explore, { placeLabels, placeNames, axes });
})();
