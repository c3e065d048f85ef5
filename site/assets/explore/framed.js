"use strict";
(() => {
const { svg } = Tokviz;
const GAP = 24;
class Framed {
constructor(view, width, height, mode) {
Object.assign(this, { view, width, height, n: view.n, outside: view.outside, vocabulary: view.vocabulary });
const area = { left: 0, top: 0, right: width, bottom: height };
this.frames = view.extents.map((extents) => extents && Tokviz.framing.framing(extents, area, GAP, mode));
this.limits = this.frames.map((frame) => frame && this.limitsOf(frame.main));
this.found = new Map();
}
limitsOf({ middle, centre, units }) {
const [x, y] = [0, 1].map((axis) => middle[axis] - (axis ? -1 : 1) * (centre[axis] / units[axis]));
return [x, x + this.width / units[0], y - this.height / units[1], y];
}
at(depth, part = "main") {
const key = `${depth} ${part}`;
if (!this.found.has(key)) this.found.set(key, this.placesIn(this.frames[depth]?.[part], this.view.at(depth)));
return this.found.get(key);
}
placesIn(pane, shares) {
const places = new Float32Array(2 * this.n);
if (!pane) return places;
for (let row = 0; row < this.n; row += 1) {
const [x, y] = pane.place(shares[2 * row], shares[2 * row + 1]);
places[2 * row] = x / this.width;
places[2 * row + 1] = 1 - y / this.height;
}
return places;
}
within(row, depth, shown) {
const [from, to] = [this.areaOf(depth), this.areaOf(shown)];
const [x, y] = this.at(depth).subarray(2 * row, 2 * row + 2);
const [across, down] = [(x * this.width - from.left) / (from.right - from.left), ((1 - y) * this.height - from.top) / (from.bottom - from.top)];
return [(to.left + across * (to.right - to.left)) / this.width, 1 - (to.top + down * (to.bottom - to.top)) / this.height];
}
areaOf(depth, part = "main") {
return this.frames[depth]?.[part].area ?? { left: 0, top: 0, right: this.width, bottom: this.height };
}
paneAt(depth, { k, x, y }, part = "main") {
const { width, height } = this;
const { left, top, right, bottom } = this.areaOf(depth, part);
const seen = (at, shift, length) => (at > 0 && at < length ? Tokviz.clamp(shift + k * at, 0, length) : at);
return { left: seen(left, x, width), right: seen(right, x, width), top: seen(top, y, height), bottom: seen(bottom, y, height) };
}
get reach() {
return Math.max(1, ...this.frames.flatMap((_, depth) => [...this.beyond(depth)].flatMap((row) => {
const places = this.at(depth);
return [Math.abs(2 * places[2 * row] - 1), Math.abs(2 * places[2 * row + 1] - 1)];
})));
}
beyond(depth) {
const key = `${depth} beyond`;
if (!this.found.has(key)) this.found.set(key, this.beyondOf(this.frames[depth]?.main.area, this.at(depth)));
return this.found.get(key);
}
beyondOf(area, places) {
if (!area) return new Set();
const [left, right] = [area.left, area.right].map((x) => x / this.width);
const [high, low] = [area.top, area.bottom].map((y) => 1 - y / this.height);
const rows = [...Array(this.n).keys()].filter((row) => {
const [x, y] = [places[2 * row], places[2 * row + 1]];
return x < left - 1e-6 || x > right + 1e-6 || y < low - 1e-6 || y > high + 1e-6;
});
return new Set(rows);
}
}
class Band {
constructor(root) {
this.root = root;
}
draw(framed, depth, visible, chosen, { k, x, y }) {
this.root.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
if (this.framed === framed && this.depth === depth && this.visible === visible && this.chosen?.join() === chosen?.join()) return;
Object.assign(this, { framed, depth, visible, chosen });
this.root.replaceChildren();
if (!framed.frames[depth]?.band) return;
const { left, top, right, bottom } = framed.areaOf(depth, "band");
const ground = svg("path", { class: "ground", d: `M${left} ${top}H${right}V${bottom}H${left}Z` });
const dots = svg("g", chosen ? { class: "faint" } : {});
dots.append(...this.paths([...visible.keys()].filter((row) => visible[row])));
this.root.append(ground, dots, ...this.paths(chosen ?? []));
}
paths(rows) {
const { view: { vocabulary }, width, height } = this.framed;
const places = this.framed.at(this.depth, "band");
const dots = new Map();
for (const row of rows) {
const hue = vocabulary.hueOf(row);
dots.set(hue, `${dots.get(hue) ?? ""}M${(places[2 * row] * width).toFixed(1)} ${((1 - places[2 * row + 1]) * height).toFixed(1)}h0`);
}
return [...dots].map(([hue, d]) => svg("path", { class: hue, d }));
}
}
Object.assign(Explore, { Framed, Band });
})();
