"use strict";
Tokviz.names = (() => {
const RINGS = [0, 3, 6, 11, 17, 23, 28, 33, 43, 52, 66, 82, 100, 115];
const ANGLES = [
0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202, 68, 112, 248, 292,
11, 349, 169, 191, 34, 326, 146, 214, 56, 304, 124, 236, 79, 281, 101, 259,
];
const SIDE_COST = [
0, 2, 4, 4, 2, 2, 3, 3, 2, 2, 3, 3, 5, 5, 5, 5,
2, 2, 3, 3, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
];
const LED_FROM = 7;
const LED = 12;
const OVER_MARK = 20;
const OVER_LINE = 120;
const MISSING = 1200;
const ROUNDS = 3;
const MOST_PUSHES = 700;
const PARTS = 4;
const ROUNDED = 1 / PARTS;
const GAP = 2;
const ACROSS = 2.5 * PARTS;
const DOWN = PARTS;
const BAND = 32 * PARTS;
const { clamp } = Tokviz;
const TURNS = RINGS.flatMap((ring) => ANGLES.map((degrees, index) => {
const angle = (degrees * Math.PI) / 180;
const [across, down] = [Math.cos(angle), -Math.sin(angle)];
const [byWidth, byHeight] = [across, down].map((along) => (clamp(1.5 * along, -1, 1) - 1) / 2);
const isLed = ring >= LED_FROM;
return { index, ring, across, down, byWidth, byHeight, isLed, cost: 2 * ring + SIDE_COST[index] + (isLed ? LED : 0) };
})).sort((one, two) => one.cost - two.cost);
const LEAST_LED = Math.min(...TURNS.filter(({ isLed }) => isLed).map(({ cost }) => cost));
const TITLE_TURNS = TURNS.filter(({ index }) => index < ANGLES.length / 2)
.map((turn) => ({ ...turn, byWidth: -0.5, byHeight: -0.5, isLed: false, cost: turn.ring })).sort((one, two) => one.cost - two.cost);
const N_BESIDE = TURNS.filter(({ isLed }) => !isLed).length;
class Placement {
constructor({ x, y, radius, shown, widths, heights, area, reach, titles = new Map() }) {
const whole = (values, round = Math.round) => Int32Array.from(values, (each) => round(PARTS * each));
[this.x, this.y] = [x, y].map((each) => whole(each));
[this.widths, this.heights] = [widths, heights].map((each) => whole(each, Math.ceil));
[this.left, this.top, this.right, this.bottom] = whole([area.left, area.top, area.right, area.bottom]);
[this.radius] = whole([radius + ROUNDED], Math.ceil);
this.titles = titles;
this.turns = TURNS.filter(({ ring }) => ring === 0 || radius + GAP + ring <= reach);
this.marks = Int32Array.from(shown).sort((one, two) => y[one] - y[two]);
this.levels = Int32Array.from(this.marks, (row) => this.y[row]);
this.places = [];
this.looked = new Int32Array(x.length);
this.boxes = new Array(x.length).fill(null);
this.bands = Array.from({ length: Math.floor((this.bottom - this.top) / BAND) + 1 }, () => []);
this.missing = new Int32Array(x.length).fill(MISSING);
this.pushes = 0;
}
place(row, index) {
const found = (this.places[row] ??= []);
while (found.length <= index && this.looked[row] < this.turnsOf(row).length) this.look(row, found);
return found[index];
}
turnsOf(row) {
return this.titles.has(row) ? TITLE_TURNS : this.turns;
}
countBeside(row) {
const found = (this.places[row] ??= []);
while (this.looked[row] < Math.min(N_BESIDE, this.turns.length)) this.look(row, found);
return found.length;
}
look(row, found) {
const isTitle = this.titles.has(row);
const turn = (isTitle ? TITLE_TURNS : this.turns)[this.looked[row]];
this.looked[row] += 1;
const x = this.x[row];
const y = this.y[row];
const out = isTitle ? PARTS * turn.ring : this.radius + PARTS * (GAP + turn.ring);
const left = Math.round(x + turn.across * out + turn.byWidth * this.widths[row]);
const top = Math.round(y + turn.down * out + turn.byHeight * this.heights[row]);
const right = left + this.widths[row];
const bottom = top + this.heights[row];
if (!this.isClear(left, top, right, bottom) || (isTitle && !this.isHome(row, (left + right) / 2, (top + bottom) / 2))) return;
const north = Math.min(top, y);
const south = Math.max(bottom, y) + DOWN;
found.push({
row, left, top, right, bottom, led: turn.isLed, x, y, endX: clamp(x, left, right), endY: clamp(y, top, bottom),
cost: turn.cost, marked: turn.isLed ? -1 : turn.cost,
west: Math.min(left, x), east: Math.max(right, x) + ACROSS, north, south, blocker: null, first: this.bandOf(north), last: this.bandOf(south),
});
}
isClear(left, top, right, bottom) {
const { radius, x, marks, levels } = this;
if (left < this.left || top < this.top || right > this.right || bottom > this.bottom) return false;
for (let at = this.firstFrom(top - radius); at < marks.length && levels[at] < bottom + radius; at += 1) {
if (x[marks[at]] > left - radius && x[marks[at]] < right + radius) return false;
}
return true;
}
isHome(row, left, top) {
let [nearest, least] = [null, Infinity];
for (const other of this.marks) {
const distance = (this.x[other] - left) ** 2 + (this.y[other] - top) ** 2;
if (distance < least) [nearest, least] = [other, distance];
}
return this.titles.get(row).rows.includes(nearest);
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
ownCost(box) {
if (box.marked >= 0) return box.marked;
box.marked = box.cost;
const { x, y, radius, marks, levels } = this;
const end = Math.max(box.y, box.endY) + radius;
for (let at = this.firstFrom(Math.min(box.y, box.endY) - radius); at < marks.length && levels[at] < end; at += 1) {
const row = marks[at];
if (row !== box.row && distance2(x[row], y[row], box) < radius * radius) box.marked += OVER_MARK;
}
return box.marked;
}
put(box) {
this.boxes[box.row] = box;
for (let at = box.first; at <= box.last; at += 1) this.bands[at].push(box);
}
take(box) {
this.boxes[box.row] = null;
for (let at = box.first; at <= box.last; at += 1) {
const band = this.bands[at];
band[band.indexOf(box)] = band.at(-1);
band.pop();
}
}
bandOf(level) {
return clamp(Math.floor((level - this.top) / BAND), 0, this.bands.length - 1);
}
costOf(box, most = Infinity) {
let { cost } = box;
for (let at = box.first; at <= box.last; at += 1) {
for (const other of this.bands[at]) {
if (at !== Math.max(box.first, other.first) || isApart(box, other)) continue;
if (isBlocked(box, other)) {
box.blocker = other;
return Infinity;
}
if (areCrossed(box, other)) cost += OVER_LINE;
if (cost >= most) return cost;
}
}
return cost >= most ? cost : cost - box.cost + this.ownCost(box);
}
best(row, most = this.missing[row]) {
let [best, least] = [null, most];
for (let index = 0; ; index += 1) {
const box = this.place(row, index);
if (!box || box.cost >= least) break;
if (box.blocker && this.boxes[box.blocker.row] === box.blocker) continue;
const cost = this.costOf(box, least);
if (cost < least) [best, least] = [box, cost];
}
return [best, least];
}
set(row, most = this.missing[row]) {
const [box] = this.best(row, most);
if (box) this.put(box);
return box;
}
inTurn(rows, most) {
const found = [];
for (const row of rows) {
if (found.length === most) break;
const box = this.set(row);
if (box) found.push(inPixels(box));
}
return found;
}
improve(row, worst) {
const before = this.boxes[row];
if (before) this.take(before);
const cost = before ? this.costOf(before) : this.missing[row];
const [box, least] = this.best(row, cost);
if (least >= worst && this.push(row, least)) return true;
if (box ?? before) this.put(box ?? before);
return box !== null;
}
push(row, cost) {
for (let index = 0; this.pushes < MOST_PUSHES; index += 1) {
const box = this.place(row, index);
if (!box || box.cost >= cost) return false;
const other = this.ownCost(box) < cost ? this.onlyOneInTheWay(box) : null;
if (other && this.pushAside(other, box, cost)) return true;
}
return false;
}
pushAside(other, box, cost) {
this.pushes += 1;
this.take(other);
const gain = cost + this.costOf(other) - this.costOf(box);
this.put(box);
const [moved] = this.best(other.row, Math.min(this.missing[other.row], gain));
if (moved) this.put(moved);
if (moved || gain > this.missing[other.row]) return true;
this.take(box);
this.put(other);
return false;
}
onlyOneInTheWay(box) {
let found = null;
for (let at = box.first; at <= box.last; at += 1) {
for (const other of this.bands[at]) {
if (other === found || isApart(box, other) || !isBlocked(box, other)) continue;
if (found) return null;
found = other;
}
}
return found;
}
*steps(first, others) {
const free = new Map(others.map((row) => [row, this.countBeside(row)]));
const order = [...first, ...[...others].sort((one, two) => free.get(one) - free.get(two))];
for (const row of first) {
this.missing[row] = 2 * MISSING;
this.set(row);
}
for (const most of [LEAST_LED, MISSING]) {
for (const row of order) {
if (!this.boxes[row]) this.set(row, most);
yield;
}
}
for (let round = 0, isBetter = true; round < ROUNDS && isBetter; round += 1) {
isBetter = false;
for (const row of order) {
if (this.improve(row, round === 0 ? MISSING : OVER_LINE)) isBetter = true;
yield;
}
}
return this.boxes.filter(Boolean).map(inPixels);
}
}
const inPixels = ({ row, led, ...box }) =>
({ row, led, ...Object.fromEntries(["left", "top", "right", "bottom", "x", "y", "endX", "endY"].map((name) => [name, box[name] / PARTS])) });
const isApart = (one, two) => one.west >= two.east || two.west >= one.east || one.north >= two.south || two.north >= one.south;
const overlaps = (one, two) => one.left < two.right + ACROSS && two.left < one.right + ACROSS
&& one.top < two.bottom + DOWN && two.top < one.bottom + DOWN;
const isBlocked = (one, two) => overlaps(one, two) || (one.led && passes(one, two)) || (two.led && passes(two, one));
function passes({ x, y, endX, endY }, { left, top, right, bottom }) {
const [awayX, awayY] = [left + right - x - endX, top + bottom - y - endY];
const [alongX, alongY] = [endX - x, endY - y];
const [across, down] = [right - left, bottom - top];
if (Math.abs(awayX) >= Math.abs(alongX) + across || Math.abs(awayY) >= Math.abs(alongY) + down) return false;
return Math.abs(alongX * awayY - alongY * awayX) < Math.abs(alongX) * down + Math.abs(alongY) * across;
}
const side = (line, x, y) => (line.endX - line.x) * (y - line.y) - (line.endY - line.y) * (x - line.x);
const straddles = (one, two) => side(two, one.x, one.y) * side(two, one.endX, one.endY) < 0;
const areCrossed = (one, two) => one.led && two.led && straddles(one, two) && straddles(two, one);
function distance2(x, y, line) {
const [alongX, alongY] = [line.endX - line.x, line.endY - line.y];
const [awayX, awayY] = [x - line.x, y - line.y];
const share = clamp((awayX * alongX + awayY * alongY) / (alongX * alongX + alongY * alongY), 0, 1);
return (awayX - share * alongX) ** 2 + (awayY - share * alongY) ** 2;
}
const inSteps = (picture, first, others) => new Placement(picture).steps(first, others);
const inTurn = (picture, rows, most = Infinity) => new Placement(picture).inTurn(rows, most);
return { inSteps, inTurn };
})();
