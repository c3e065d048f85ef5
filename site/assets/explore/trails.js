"use strict";
(() => {
const LEAST_WORDS = 3;
const LEAST_SIZE = 0.01;
const SAME = [1, 0, 0, 1];
class Aligned {
constructor(view) {
this.view = view;
const rows = [...Array(view.n).keys()];
const reference = rows.filter((row) => !view.outside.has(row));
this.rows = reference.length ? reference : rows;
this.clouds = view.limits.map((limits, depth) => (limits ? this.cloud(limits, view.at(depth)) : null));
this.turns = this.clouds.map((_, depth) => this.turn(depth));
this.mapped = new Map();
}
cloud([left, right, low, high], places) {
const { rows } = this;
if (rows.length < LEAST_WORDS) return null;
const [width, height] = [right - left, high - low];
let [x, y] = [0, 0];
for (const row of rows) {
x += places[2 * row] / rows.length;
y += places[2 * row + 1] / rows.length;
}
let [across, up] = [0, 0];
for (const row of rows) {
across += (places[2 * row] - x) ** 2;
up += (places[2 * row + 1] - y) ** 2;
}
if (Math.hypot(Math.sqrt(across), Math.sqrt(up)) < LEAST_SIZE) return null;
return { x, y, width, height, size: Math.hypot(Math.sqrt(across) * width, Math.sqrt(up) * height) };
}
turn(depth) {
const [moved, still] = [this.clouds[depth - 1], this.clouds[depth]];
if (!moved || !still) return null;
const [before, after] = [this.view.at(depth - 1), this.view.at(depth)];
let [xx, xy, yx, yy] = [0, 0, 0, 0];
for (const row of this.rows) {
const [a, b] = [(before[2 * row] - moved.x) * moved.width, (before[2 * row + 1] - moved.y) * moved.height];
const [x, y] = [(after[2 * row] - still.x) * still.width, (after[2 * row + 1] - still.y) * still.height];
xx += a * x;
xy += a * y;
yx += b * x;
yy += b * y;
}
const [rotated, mirrored] = [Math.hypot(xx + yy, xy - yx), Math.hypot(xx - yy, xy + yx)];
const flip = mirrored > rotated ? -1 : 1;
const angle = Math.atan2(xy - flip * yx, xx + flip * yy);
const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
const overlap = Math.max(rotated, mirrored) / (moved.size * still.size);
return { matrix: [cos, sin, -flip * sin, flip * cos], residual: Tokviz.clamp(1 - overlap ** 2, 0, 1) };
}
matrices(shown) {
if (!this.mapped.has(shown)) {
const found = this.clouds.map(() => null);
found[shown] = this.clouds[shown] && SAME;
for (let depth = shown; depth > 0 && this.turns[depth]; depth -= 1) {
found[depth - 1] = times(this.turns[depth].matrix, found[depth]);
}
for (let depth = shown + 1; depth < found.length && this.turns[depth]; depth += 1) {
const [a, b, c, d] = this.turns[depth].matrix;
found[depth] = times([a, c, b, d], found[depth - 1]);
}
this.mapped.set(shown, found);
}
return this.mapped.get(shown);
}
place(row, depth, shown) {
const matrix = this.matrices(shown)[depth];
if (!matrix) return null;
const [from, to] = [this.clouds[depth], this.clouds[shown]];
const places = this.view.at(depth);
const grown = to.size / from.size;
const [x, y] = [(places[2 * row] - from.x) * from.width * grown, (places[2 * row + 1] - from.y) * from.height * grown];
const [a, b, c, d] = matrix;
return [to.x + (x * a + y * c) / to.width, to.y + (x * b + y * d) / to.height];
}
until(shown) {
let first = shown;
while (this.turns[first]) first -= 1;
return { first, residuals: this.turns.slice(first + 1, shown + 1).map(({ residual }) => residual) };
}
}
const times = ([a, b, c, d], [e, f, g, h]) => [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
const made = new WeakMap();
Explore.aligned = (view) => {
if (!made.has(view)) made.set(view, new Aligned(view));
return made.get(view);
};
})();
(() => {
const { svg } = Tokviz;
const RECENT = 10;
const EVERY = [1, 2, 5, 10, 20, 50, 100];
const MOST_NUMBERS = 6;
const APART = 24;
const REACH = 8;
class Trails {
constructor(root) {
this.root = root;
this.kind = "own";
}
get reach() {
return this.kind === "aligned" ? REACH : 1;
}
setView(view) {
this.view = view;
this.forget();
}
setKind(kind) {
this.kind = kind;
this.forget();
}
forget() {
this.numbers = [];
this.from = new Map();
this.now = new Map();
this.moveTo(this.depth);
}
moveTo(depth) {
this.depth = depth;
if (this.now.size) this.from = this.now;
this.to = new Map();
this.now = new Map();
}
draw(words, share, pixels, isStill) {
this.root.replaceChildren(...words.flatMap(([row, mark]) => {
const points = this.placesOf(row, share).map((place) => place && pixels(place));
points[this.depth] = mark;
return this.paths(points, this.view.vocabulary.hueOf(row));
}), ...(isStill ? this.numbers : []).map(({ row, text, x, y }) =>
svg("text", { class: this.view.vocabulary.hueOf(row), x: x.toFixed(1), y: y.toFixed(1) }, text)));
}
layers(row, mark, pixels) {
const every = EVERY.find((each) => this.depth / each <= MOST_NUMBERS);
const found = [];
for (let depth = 1; depth < this.depth; depth += every) {
const place = this.view.limits[depth] && this.place(row, depth);
const at = place && pixels(place);
const isApart = (from, by) => Math.hypot(from[0] - at[0], from[1] - at[1]) > by;
if (at && isApart(mark, 2 * APART) && found.every((each) => isApart(each.at, APART))) {
found.push({ row, at, text: String(depth - 1), kind: "layer" });
}
}
return found;
}
placesOf(row, share) {
if (!this.to.has(row)) this.to.set(row, this.view.limits.map((_, depth) => this.place(row, depth)));
const from = this.from.get(row);
const places = this.to.get(row).map((to, depth) => {
const begin = from?.[depth];
return to && begin ? [begin[0] + (to[0] - begin[0]) * share, begin[1] + (to[1] - begin[1]) * share] : to;
});
this.now.set(row, places);
return places;
}
place(row, depth) {
if (this.kind === "aligned") return Explore.aligned(this.view).place(row, depth, this.depth);
return this.view.limits[depth] ? this.view.within(row, depth, this.depth) : null;
}
paths(points, hue) {
const { depth } = this;
const steps = [...Array(depth).keys()].filter((from) => points[from] && points[from + 1]);
const d = (from) => `M${text(points[from])}L${text(points[from + 1])}`;
const pale = steps.filter((from) => from < depth - RECENT);
const made = pale.length ? [svg("path", { class: hue, d: pale.map(d).join(""), opacity: 0.16 })] : [];
for (const from of steps.slice(pale.length)) {
made.push(svg("path", { class: hue, d: d(from), opacity: (0.9 - (0.74 * (depth - 1 - from)) / RECENT).toFixed(2) }));
}
return made;
}
}
const text = ([left, top]) => `${left.toFixed(1)} ${top.toFixed(1)}`;
Explore.Trails = Trails;
})();
