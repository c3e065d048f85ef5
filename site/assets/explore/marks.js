"use strict";
(() => {
const { svg, shape, nHues, hueOf } = Tokviz;
const MOST_IN_SVG = 1500;
function colorsOf(element, scheme = "") {
const probe = document.createElement("span");
probe.style.colorScheme = scheme;
element.closest(".explore-card").append(probe);
const seen = (color, name = "") => {
probe.className = name;
probe.style.color = `var(--${color})`;
return getComputedStyle(probe).color;
};
const hues = Array.from({ length: nHues }, (_, category) => seen("hue", hueOf(category)));
const [ground, ink, quiet] = ["plate-ground", "ink", "soft"].map((color) => seen(color));
probe.remove();
return { hue: (category) => hues[category % nHues], ground, ink, quiet };
}
function markPaths(memberships, hollow, diameter) {
const line = Math.max(1.4, diameter * 0.16);
const [first, ...others] = memberships;
const whole = hollow
? [shape(first), diameter - line, first, true, line]
: [shape(first), diameter, first, false, Math.min(1, diameter * 0.12)];
return [whole, ...others.map((category) => [shape(category), diameter * Explore.SECOND, category, false, 0.8])];
}
function paintedPaths(memberships, hollow, diameter, { hue, ground }) {
return markPaths(memberships, hollow, diameter).map(([d, scale, category, isHollow, line]) =>
[d, scale, ...(isHollow ? [ground, hue(category)] : [hue(category), ground]), line]);
}
function mark(memberships, hollow, diameter) {
const group = svg("g");
for (const [d, scale, category, isHollow, line] of markPaths(memberships, hollow, diameter)) {
group.append(svg("path", {
class: `${hueOf(category)} ${isHollow ? "hollow" : "full"}`, d, "stroke-width": line, transform: `scale(${scale})`,
"vector-effect": "non-scaling-stroke",
}));
}
return group;
}
function swatch(categories, hollow = false) {
const drawing = svg("svg", { viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" });
drawing.append(mark(categories, hollow, 10));
return drawing;
}
function diameterFor(n) {
return n <= 240 ? 10 : Math.max(5, 10 * Math.max(0.5, Math.sqrt(240 / n)));
}
class SvgPainter {
constructor(root) {
this.root = root;
}
start(view, diameter) {
const { memberships } = view.vocabulary;
this.marks = memberships.map((categories, row) => mark(categories, view.hollow[row], diameter));
this.root.replaceChildren(...this.marks);
}
paint(x, y, visible) {
this.marks.forEach((each, row) => {
const display = visible[row] ? "" : "none";
if (each.style.display !== display) each.style.display = display;
if (visible[row]) each.setAttribute("transform", `translate(${x[row].toFixed(1)} ${y[row].toFixed(1)})`);
});
}
resize(width, height) {
this.root.setAttribute("width", width);
this.root.setAttribute("height", height);
}
recolor() {}
stop() {
this.root.replaceChildren();
}
}
class CanvasPainter {
constructor(canvas) {
this.canvas = canvas;
this.context = canvas.getContext("2d");
}
start(view, diameter) {
this.view = view;
this.diameter = diameter;
this.ratio = null;
}
stamp(categories, hollow, side) {
const canvas = document.createElement("canvas");
canvas.width = canvas.height = side;
const context = canvas.getContext("2d");
context.translate(side / 2, side / 2);
for (const [d, scale, fill, stroke, line] of paintedPaths(categories, hollow, this.diameter * this.ratio, this.colors)) {
const path = new Path2D();
path.addPath(new Path2D(d), new DOMMatrix().scale(scale));
context.fillStyle = fill;
context.fill(path);
context.strokeStyle = stroke;
context.lineWidth = line;
context.stroke(path);
}
const pixels = new Uint32Array(context.getImageData(0, 0, side, side).data.buffer);
const opaque = [...pixels.keys()].filter((index) => pixels[index] >>> 24 > 8);
return {
offsets: Int32Array.from(opaque, (index) => Math.floor(index / side) * this.stride + (index % side)),
colors: Uint32Array.from(opaque, (index) => pixels[index]),
};
}
prepare() {
const { memberships } = this.view.vocabulary;
this.colors = colorsOf(this.canvas, this.scheme);
this.side = 2 * Math.ceil(this.diameter * this.ratio) + 2;
this.image = this.context.createImageData(this.canvas.width + 2 * this.side, this.canvas.height + 2 * this.side);
this.pixels = new Uint32Array(this.image.data.buffer);
this.stride = this.image.width;
const kinds = new Map();
this.stamps = memberships.map((categories, row) => {
const hollow = this.view.hollow[row];
const name = `${categories.join(" ")}${hollow ? "o" : ""}`;
if (!kinds.has(name)) kinds.set(name, this.stamp(categories, hollow, this.side));
return kinds.get(name);
});
}
paint(x, y, visible) {
const ratio = window.devicePixelRatio || 1;
if (this.ratio !== ratio) {
this.ratio = ratio;
this.resize(this.width, this.height);
}
const { pixels, stamps, side, stride } = this;
const [right, bottom] = [stride - side, this.image.height - side];
pixels.fill(0);
for (let row = 0; row < stamps.length; row += 1) {
const left = Math.round(x[row] * ratio + side / 2);
const top = Math.round(y[row] * ratio + side / 2);
if (!visible[row] || left < 0 || top < 0 || left > right || top > bottom) continue;
const { offsets, colors } = stamps[row];
const first = top * stride + left;
for (let index = 0; index < offsets.length; index += 1) {
const at = first + offsets[index];
const color = colors[index];
pixels[at] = color >>> 24 === 255 || pixels[at] === 0 ? color : blended(color, pixels[at]);
}
}
this.context.putImageData(this.image, -side, -side);
}
resize(width, height) {
const ratio = window.devicePixelRatio || 1;
[this.width, this.height, this.ratio] = [width, height, ratio];
this.canvas.width = Math.round(width * ratio);
this.canvas.height = Math.round(height * ratio);
this.canvas.style.width = `${width}px`;
this.canvas.style.height = `${height}px`;
this.prepare();
}
recolor(scheme) {
this.scheme = scheme;
this.ratio = null;
}
stop() {
this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
}
}
function blended(over, under) {
const share = over >>> 24;
const rest = 256 - share;
const redBlue = (((over & 0xff00ff) * share + (under & 0xff00ff) * rest) >>> 8) & 0xff00ff;
const green = ((((over >>> 8) & 0xff) * share + ((under >>> 8) & 0xff) * rest) >>> 8) & 0xff;
return ((Math.max(share, under >>> 24) << 24) | redBlue | (green << 8)) >>> 0;
}
Object.assign(Explore, { colorsOf, paintedPaths, mark, swatch, diameterFor, SvgPainter, CanvasPainter, MOST_IN_SVG });
})();
