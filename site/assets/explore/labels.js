"use strict";
(() => {
const { svg } = Tokviz;
const CELL = 2;
const FONT = `12px ${getComputedStyle(document.documentElement).getPropertyValue("--sans")}`;
const HEIGHT = 12;
const PADDING = 1.5;
const SHIFT = 5;
const MOST_TRIED = 1200;
const CURRENT_SCALE = 1.25;
const NAMED_SCALE = 1.06;
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
class Occupancy {
constructor(width, height) {
this.columns = Math.ceil(width / CELL);
this.rows = Math.ceil(height / CELL);
this.cells = new Uint8Array(this.columns * this.rows);
}
span(left, top, right, bottom) {
return [
Math.max(0, Math.floor(left / CELL)), Math.max(0, Math.floor(top / CELL)),
Math.min(this.columns - 1, Math.floor(right / CELL)), Math.min(this.rows - 1, Math.floor(bottom / CELL)),
];
}
isFree(...box) {
const [left, top, right, bottom] = this.span(...box);
for (let row = top; row <= bottom; row += 1) {
for (let column = left; column <= right; column += 1) {
if (this.cells[row * this.columns + column]) return false;
}
}
return true;
}
occupy(...box) {
const [left, top, right, bottom] = this.span(...box);
for (let row = top; row <= bottom; row += 1) {
this.cells.fill(1, row * this.columns + left, row * this.columns + right + 1);
}
}
}
function places(x, y, radius, width) {
const gap = radius + PADDING + CELL;
const [right, left, middle] = [x + gap, x - gap - width, x - width / 2];
const [level, over, under] = [y - HEIGHT / 2, y - radius - CELL - HEIGHT, y + radius + CELL];
return [
[right, level], [left, level], [middle, over], [middle, under],
[right, level - SHIFT], [right, level + SHIFT], [left, level - SHIFT], [left, level + SHIFT],
];
}
function placeOne({ row, text, scale = 1 }, { x, y, radius, width, height }, occupied) {
const length = widthOf(text) * scale;
for (const [left, top] of places(x[row], y[row], radius, length)) {
const [right, bottom] = [left + length, top + HEIGHT];
if (left < 2 || top < 1 || right > width - 2 || bottom > height - 1) continue;
if (!occupied.isFree(left - PADDING, top, right + PADDING, bottom)) continue;
occupied.occupy(left - PADDING, top, right + PADDING, bottom);
return { row, text, x: left, y: top + HEIGHT - 3 };
}
return null;
}
function placeNames(wanted, picture, occupied = new Occupancy(picture.width, picture.height)) {
const { x, y, radius, width } = picture;
for (const { row } of wanted) occupied.occupy(x[row] - radius, y[row] - radius, x[row] + radius, y[row] + radius);
return wanted.flatMap(({ row, text, kind }) => {
const found = placeOne({ row, text, scale: kind === "current" ? CURRENT_SCALE : NAMED_SCALE }, picture, occupied);
if (!found && kind === "near") return [];
if (found) return [{ kind, ...found }];
const [left, length] = [x[row] + radius + 4, widthOf(text) * CURRENT_SCALE];
const fits = left + length < width - 2;
return [{ kind, row, text, x: fits ? left : Math.max(2, 2 * x[row] - left - length), y: y[row] + 4 }];
});
}
function placeLabels({ wanted, rows, visible, textOf, most, ...picture }) {
const { x, y, radius, width, height } = picture;
const occupied = new Occupancy(width, height);
const inside = (row) => x[row] >= 0 && y[row] >= 0 && x[row] <= width && y[row] <= height;
placeNames(wanted, picture, occupied);
const named = new Set(wanted.map(({ row }) => row));
for (let row = 0; row < visible.length; row += 1) {
if (visible[row] && inside(row)) occupied.occupy(x[row] - radius, y[row] - radius, x[row] + radius, y[row] + radius);
}
const found = [];
let tried = 0;
for (const row of rows) {
if (found.length === most || tried === MOST_TRIED) break;
if (!visible[row] || named.has(row) || !inside(row)) continue;
tried += 1;
const label = placeOne({ row, text: textOf(row) }, picture, occupied);
if (label) found.push(label);
}
return found;
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
