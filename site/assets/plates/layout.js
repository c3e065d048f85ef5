"use strict";
Tokviz.plateLayout = (() => {
const { clamp } = Tokviz;
const LEAST = 11;
const LARGEST = 13;
const MIDDLE = 640;
const TITLE_HEIGHT = 18;
const TICK = 4;
const PITCH = 24;
const MIDDLE_PITCH = 20;
const LEAST_PITCH = 17;
const SWATCH = 20;
const NOTE = 15;
const NOTES = 10;
const LEAST_HEIGHT = 0.45;
const MANY = 240;
const REACH = 120;
const NARROW = 480;
const NARROW_REACH = 52;
const textSize = (width) => clamp(Math.round((2 * width) / 65) / 2, LEAST, LARGEST);
function layout({ width, height, nCategories, nameWidth, tickWidth, titleLines, nWords, isKeyless = false }) {
const size = textSize(width);
const around = {
left: Math.ceil(tickWidth) + TICK + 6,
top: 8 + titleLines * TITLE_HEIGHT + 3 + size,
bottom: TICK + size + 8,
};
const sheet = { width, height, size, nCategories, around, keyWidth: Math.ceil(Math.min(nameWidth, width / 4)) + SWATCH + 4 };
const best = larger(keyBeside(sheet), keyBelow(sheet), width < MIDDLE) ?? (isKeyless ? withoutKey(sheet) : null);
if (best === null) return null;
const diameter = (width < MIDDLE ? 6 : 7.5) * (nWords > MANY ? Math.max(0.6, Math.sqrt(MANY / nWords)) : 1);
return { width, height, size, diameter, reach: nWords > MANY ? 15 : width < NARROW ? NARROW_REACH : REACH, ...best };
}
function larger(first, second, compared) {
const sizeOf = ({ area }) => (area.right - area.left) * (area.bottom - area.top);
if (first === null || second === null) return first ?? second;
return compared && sizeOf(second) > sizeOf(first) ? second : first;
}
function keyBeside({ width, height, size, nCategories, around, keyWidth }) {
const area = { left: around.left, top: around.top, right: width - keyWidth - 14, bottom: height - around.bottom };
const isTall = area.bottom - area.top - NOTES * NOTE >= nCategories * MIDDLE_PITCH;
if (!isTall) area.bottom -= 2 * NOTE;
const space = area.bottom - area.top - (isTall ? NOTES * NOTE : 0);
const pitch = Math.min(PITCH, Math.floor(space / nCategories));
if (width < height || pitch < LEAST_PITCH) return null;
const key = { left: area.right + 10, top: area.top, width: keyWidth, columns: 1, rows: nCategories, pitch, size };
const below = { ...key, top: area.top + nCategories * pitch + 4, isColumn: true };
return { area, end: area.right, key, note: isTall ? below : noteAtFoot(width, height, 2) };
}
function keyBelow({ width, height, size, nCategories, around, keyWidth }) {
const columns = clamp(Math.floor((width - 16) / (keyWidth + 6)), 1, nCategories);
const rows = Math.ceil(nCategories / columns);
const lines = width < MIDDLE ? 2 : 1;
const tall = rows * PITCH + lines * NOTE + 6;
const area = { left: around.left, top: around.top, right: width - 8, bottom: height - around.bottom - tall };
if (area.bottom - area.top < LEAST_HEIGHT * height) return null;
const key = { left: 8, top: height - tall, width: width - 16, columns, rows, pitch: PITCH, size };
return { area, end: width, key, note: noteAtFoot(width, height, lines) };
}
function withoutKey({ width, height, around }) {
const area = { left: around.left, top: around.top, right: width - 8, bottom: height - around.bottom - NOTE - 3 };
return area.bottom - area.top < LEAST_HEIGHT * height ? null : { area, end: width, key: null, note: noteAtFoot(width, height, 1) };
}
const noteAtFoot = (width, height, lines) => ({ left: 8, top: height - lines * NOTE - 3, width: width - 16, isColumn: false });
function spread(places, n, pane, inset) {
const { left, top, right, bottom } = pane.area;
const [x, y, beyond] = [new Float64Array(n), new Float64Array(n), []];
for (let row = 0; row < n; row += 1) {
const [across, down] = pane.place(places[2 * row], places[2 * row + 1]);
x[row] = clamp(across, left + inset, right - inset);
y[row] = clamp(down, top + inset, bottom - inset);
beyond.push([sideOf(across, left, right), sideOf(down, top, bottom)]);
}
return { x, y, beyond };
}
const sideOf = (place, low, high) => (place < low - 0.5 ? -1 : place > high + 0.5 ? 1 : 0);
function withArrow(text, side) {
const arrow = Explore.arrow(side);
if (!arrow) return text;
return side[0] < 0 ? `${arrow} ${text}` : `${text} ${arrow}`;
}
function nearest({ x, y }, rows, [left, top], most) {
let [found, least] = [null, most];
for (const row of rows) {
const distance = Math.hypot(x[row] - left, y[row] - top);
if (distance < least) [found, least] = [row, distance];
}
return found;
}
return { textSize, layout, spread, withArrow, nearest, MANY, LEAST };
})();
Tokviz.plateLabels = (() => {
const RINGS = [0, 4, 9, 15, 22, 30, 40, 52, 66, 82, 100, 120];
const ANGLES = [
0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202, 68, 112, 248, 292,
11, 349, 169, 191, 34, 326, 146, 214, 56, 304, 124, 236, 79, 281, 101, 259,
].map((each) => (each * Math.PI) / 180);
const ACROSS = ANGLES.map(Math.cos);
const DOWN = ANGLES.map((angle) => -Math.sin(angle));
const SIDE_COST = [
0, 1, 2, 2, 1, 1, 1.5, 1.5, 1, 1, 1.5, 1.5, 2.5, 2.5, 2.5, 2.5,
1, 1, 1.5, 1.5, 1, 1, 1.5, 1.5, 2, 2, 2, 2, 2.5, 2.5, 2.5, 2.5,
];
const LED_FROM = 7;
const LED = 6;
const OVER_MARK = 14;
const OVER_LINE = 60;
const MOST_PUSHED = 60;
const BAND = 16;
const { clamp } = Tokviz;
class Placement {
constructor({ x, y, radius, shown, widths, heights, area, gap = 2, padding = 1.5, reach = Infinity, above = new Set() }) {
Object.assign(this, { x, y, radius, widths, heights, area, gap, padding, above });
this.rings = RINGS.filter((ring) => ring <= reach);
this.marks = Int32Array.from(shown).sort((one, two) => y[one] - y[two]);
this.levels = Float64Array.from(this.marks, (row) => y[row]);
this.clear = new Map();
this.placed = new Map();
this.led = new Set();
this.bands = Array.from({ length: Math.ceil((area.bottom - area.top) / BAND) + 1 }, () => []);
}
put(box) {
this.placed.set(box.row, box);
if (box.led) this.led.add(box);
for (let at = this.bandOf(box.top); at <= this.bandOf(box.bottom); at += 1) this.bands[at].push(box);
}
take(box) {
this.placed.delete(box.row);
this.led.delete(box);
for (let at = this.bandOf(box.top); at <= this.bandOf(box.bottom); at += 1) {
this.bands[at].splice(this.bands[at].indexOf(box), 1);
}
}
bandOf(level) {
return clamp(Math.floor((level - this.area.top) / BAND), 0, this.bands.length - 1);
}
place(row, ring, turn) {
const out = this.radius + this.gap + ring;
const [width, height] = [this.widths[row], this.heights[row]];
const [x, y] = [this.x[row], this.y[row]];
const left = x + ACROSS[turn] * out + (clamp(ACROSS[turn] * 1.5, -1, 1) - 1) * 0.5 * width;
const top = y + DOWN[turn] * out + (clamp(DOWN[turn] * 1.5, -1, 1) - 1) * 0.5 * height;
const [right, bottom] = [left + width, top + height];
const led = ring >= LED_FROM;
const [endX, endY] = [clamp(x, left, right), clamp(y, top, bottom)];
return { row, left, top, right, bottom, led, x, y, endX, endY, cost: ring + SIDE_COST[turn] + (led ? LED : 0) };
}
firstFrom(level) {
let [low, high] = [0, this.levels.length];
while (low < high) {
const middle = (low + high) >> 1;
if (this.levels[middle] < level) low = middle + 1;
else high = middle;
}
return low;
}
isClear({ row, left, top, right, bottom }) {
const { area, radius, x, marks, levels } = this;
if (left < area.left || top < area.top || right > area.right || bottom > area.bottom) return false;
if (this.above.has(row)) return true;
for (let at = this.firstFrom(top - radius); at < marks.length && levels[at] < bottom + radius; at += 1) {
if (x[marks[at]] > left - radius && x[marks[at]] < right + radius) return false;
}
return true;
}
clearPlaces(row, ring) {
const key = row * 1000 + ring;
let found = this.clear.get(key);
if (!found) {
found = [];
for (let turn = 0; turn < SIDE_COST.length; turn += 1) {
const box = this.place(row, ring, turn);
if (this.isClear(box)) found.push(box);
}
this.clear.set(key, found);
}
return found;
}
isFree(box) {
const last = this.bandOf(box.bottom + this.padding);
for (let at = this.bandOf(box.top - this.padding); at <= last; at += 1) {
for (const other of this.bands[at]) {
if (other.row !== box.row && overlaps(box, other, this.padding)) return false;
}
}
for (const other of box.led ? this.placed.values() : this.led) {
if (other.row !== box.row && crossesName(box, other)) return false;
}
return true;
}
onlyBlocker(box) {
let found = null;
for (const other of this.placed.values()) {
if (other.row === box.row || !(overlaps(box, other, this.padding) || crossesName(box, other))) continue;
if (found) return null;
found = other;
}
return found;
}
lineCost(box) {
let cost = 0;
const { x, y, radius, marks, levels } = this;
const end = Math.max(box.y, box.endY) + radius;
for (let at = this.firstFrom(Math.min(box.y, box.endY) - radius); at < marks.length && levels[at] < end; at += 1) {
const row = marks[at];
if (row !== box.row && distanceToLine(x[row], y[row], box) < radius) cost += OVER_MARK;
}
for (const other of this.placed.values()) {
if (other.led && other.row !== box.row && cross(box, other)) cost += OVER_LINE;
}
return cost;
}
best(row, rings = this.rings) {
let [best, least] = [null, Infinity];
for (const ring of rings) {
if (least <= ring) break;
for (const box of this.clearPlaces(row, ring)) {
if (box.cost >= least || !this.isFree(box)) continue;
const cost = box.cost + (box.led ? this.lineCost(box) : 0);
if (cost < least) [best, least] = [box, cost];
}
}
return best;
}
set(row, rings) {
const box = this.best(row, rings);
if (box) this.put(box);
return box !== null;
}
push(row) {
for (const ring of this.rings) {
for (const box of this.clearPlaces(row, ring)) {
const blocker = this.onlyBlocker(box);
if (!blocker) continue;
this.take(blocker);
this.put(box);
if (this.set(blocker.row)) return;
this.take(box);
this.put(blocker);
}
}
}
*steps(order) {
const near = this.rings.filter((ring) => ring < LED_FROM);
const apart = yield* this.left(order, near);
const missing = yield* this.left(apart, this.rings);
for (const row of missing.slice(0, MOST_PUSHED)) {
if (!this.set(row)) this.push(row);
yield;
}
return [...this.placed.values()];
}
*left(order, rings) {
const others = [];
for (const row of order) {
if (!this.set(row, rings)) others.push(row);
yield;
}
return others;
}
}
const overlaps = (one, two, padding) => one.left < two.right + padding && one.right > two.left - padding
&& one.top < two.bottom + padding && one.bottom > two.top - padding;
const crossesName = (one, two) =>
(one.led && isNear(one, two) && passes(one, two)) || (two.led && isNear(two, one) && passes(two, one));
function isNear({ x, y, endX, endY }, { left, top, right, bottom }) {
if ((x < left && endX < left) || (x > right && endX > right)) return false;
return !((y < top && endY < top) || (y > bottom && endY > bottom));
}
function passes({ x, y, endX, endY }, { left, top, right, bottom }) {
const alongX = endX - x || 1e-6;
const alongY = endY - y || 1e-6;
const [a, b] = [(left - x) / alongX, (right - x) / alongX];
const [c, d] = [(top - y) / alongY, (bottom - y) / alongY];
const enter = Math.max(Math.min(a, b), Math.min(c, d));
const leave = Math.min(Math.max(a, b), Math.max(c, d));
return enter < leave && leave > 0 && enter < 1;
}
const side = (line, x, y) => (line.endX - line.x) * (y - line.y) - (line.endY - line.y) * (x - line.x);
const straddles = (one, two) => side(two, one.x, one.y) * side(two, one.endX, one.endY) < 0;
const cross = (one, two) => straddles(one, two) && straddles(two, one);
function distanceToLine(x, y, line) {
const [alongX, alongY] = [line.endX - line.x, line.endY - line.y];
const length2 = alongX * alongX + alongY * alongY || 1e-6;
const share = clamp(((x - line.x) * alongX + (y - line.y) * alongY) / length2, 0, 1);
return Math.hypot(x - line.x - share * alongX, y - line.y - share * alongY);
}
function priority(memberships) {
const groups = new Map();
memberships.forEach(([category], row) => groups.set(category, [...(groups.get(category) ?? []), row]));
const lists = [...groups.values()];
const longest = Math.max(0, ...lists.map((list) => list.length));
const turns = Array.from({ length: longest }, (_, index) => lists.map((list) => list[index]));
return turns.flat().filter((row) => row !== undefined);
}
const namesInSteps = (picture, order) => new Placement(picture).steps(order);
return { namesInSteps, priority };
})();
