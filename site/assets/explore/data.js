"use strict";
const Explore = {};
(() => {
const { decodeIntegers, load } = Tokviz;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;
Explore.isolated = (text) => (RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text);
Explore.countOf = ({ length }) => (length === 0 ? "tokens not known" : length === 1 ? "one token" : `${length} tokens`);
const LONGEST = 24;
Explore.shortened = (word) => {
const characters = [...word.trim()];
return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
};
const ARROWS = {
"-1,0": "←", "1,0": "→", "0,-1": "↑", "0,1": "↓", "-1,-1": "↖", "1,-1": "↗", "1,1": "↘", "-1,1": "↙",
};
Explore.arrow = (side) => ARROWS[side.join()] ?? "";
Explore.ticks = (low, high, most = 5) => {
if (!(high > low)) return [];
const finest = Math.floor(Math.log10((high - low) / 20));
const steps = [0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((mantissa) => mantissa * 10 ** (finest + power)));
const countOf = (step) => Math.floor(high / step) - Math.ceil(low / step) + 1;
const few = steps.findIndex((each) => countOf(each) <= most);
const step = steps[few > 0 && countOf(steps[few]) < 2 ? few - 1 : few] ?? high - low;
const values = [];
for (let whole = Math.ceil(low / step); whole <= Math.floor(high / step); whole += 1) values.push(whole * step || 0);
const exponent = Math.floor(Math.log10(Math.max(step, ...values.map(Math.abs))));
const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
const textOf = exponent >= 6 || exponent < -3
? (value) => (value ? `${Number((value / 10 ** exponent).toPrecision(3))}×10${superscript(exponent)}` : "0")
: (value) => numberText(value, decimals);
return values.map((value) => [value, textOf(value).replace("-", "−")]);
};
function numberText(value, decimals) {
const [whole, ...rest] = value.toFixed(decimals).split(".");
return [whole.replace(/\B(?=(\d{3})+$)/g, ","), ...rest].join(".");
}
const superscript = (number) => String(number).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));
const WITHOUT_PICTURE = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]+/gu;
const codePoint = (character) => character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
const visible = (text) => text.replace(WITHOUT_PICTURE, (run) => `⟨U+${[...run].map(codePoint).join(" ")}⟩`);
class Index {
constructor(content) {
Object.assign(this, content);
}
async view(capture, depth = null) {
const { model, context, shown } = capture;
const name = `${model.slug}/${context.name}`;
const folder = `${model.data}/${context.name}`;
const [words, tokens, drawn, near] = await Promise.all([
load("words", this.words),
load(name, `${folder}/words.js`),
load(capture.key, `${folder}/coordinates-${shown.name}.js`),
context.neighbours ? load(`${name} neighbours`, `${folder}/neighbours.js`) : null,
]);
this.vocabulary ??= new Vocabulary(words);
const view = new View(capture, this.vocabulary, tokens, drawn, near);
await (depth === null ? Promise.all(view.limits.map((_, each) => view.fetch(each))) : view.fetch(depth));
return view;
}
async lens({ model, context }) {
const lens = await load(`${model.slug}/${context.name} lens`, `${model.data}/${context.name}/lens.js`);
for (const each of [lens.categories, lens.words]) {
if (each) each.numbers ??= decodeIntegers(each.tops, lens.bytes);
}
return lens;
}
}
class Vocabulary {
constructor({ words, memberships }) {
this.words = words;
this.names = words.map(visible);
this.memberships = memberships;
this.folded = words.map((word) => word.toLocaleLowerCase());
this.rows = new Map(words.map((word, row) => [word, row]));
}
hueOf(row) {
return Tokviz.hueOf(this.memberships[row][0]);
}
categoriesOf(row, labels) {
return this.memberships[row].map((category) => labels[category]).join(", ");
}
find(text, most = Infinity) {
const wanted = text.trim().toLocaleLowerCase();
if (!wanted) return [];
const [beginning, containing] = [[], []];
this.folded.forEach((word, row) => {
const at = word.indexOf(wanted);
if (at === 0) beginning.push(row);
else if (at > 0) containing.push(row);
});
return [...beginning.sort((a, b) => this.folded[a].length - this.folded[b].length), ...containing].slice(0, most);
}
}
const limitsOf = (extents) => extents.map((each) => each && [each[0], each[0] + each[1], each[2], each[2] + each[3]]);
class View {
constructor(capture, vocabulary, tokens, drawn, near) {
this.capture = capture;
this.vocabulary = vocabulary;
this.n = vocabulary.words.length;
this.last = drawn.extents.length - 1;
this.extents = drawn.extents;
this.limits = limitsOf(drawn.extents);
this.variance = drawn.variance;
this.problems = drawn.problems;
this.measures = tokens.measures;
this.pieces = tokens.pieces;
this.modules = tokens.modules;
this.outside = new Set(tokens.outside);
this.hollow = tokens.pieces.map((pieces, row) => pieces.length > 1 || this.outside.has(row));
this.perPart = drawn.depths ?? drawn.extents.length;
this.parts = [];
if (drawn.places) this.add(0, drawn);
this.pictured = new Map();
this.fullSpace = near && { k: near.k, rows: decodeIntegers(near.rows, this.n <= 256 ? 1 : 2) };
}
add(part, { places, ends }) {
const steps = decodeIntegers(places, 2);
const values = new Float32Array(decodeIntegers(ends, 1).buffer);
let nEnds = 0;
this.parts[part] = Float32Array.from(steps, (step) => (step === 0 || step === 65535 ? values[nEnds++] : step / 65535));
}
has(depth) {
return !(depth in this.extents) || Boolean(this.parts[this.partOf(depth)]);
}
partOf(depth) {
return Math.floor(depth / this.perPart);
}
async fetch(depth) {
if (this.has(depth)) return;
const part = this.partOf(depth);
const { model, context, shown, key } = this.capture;
this.add(part, await load(`${key}/${part}`, `${model.data}/${context.name}/coordinates-${shown.name}-${part}.js`));
}
at(depth) {
const first = 2 * (depth % this.perPart) * this.n;
return this.parts[this.partOf(depth)].subarray(first, first + 2 * this.n);
}
on(extents) {
const found = new Map();
const other = Object.assign(Object.create(this), { pictured: new Map() });
other.extents = this.extents.map((own, depth) => own && extents[depth]);
other.limits = limitsOf(other.extents);
other.at = (depth) => {
const [own, common] = [this.extents[depth], extents[depth]];
if (own && !found.has(depth)) {
found.set(depth, this.at(depth).map((place, index) => {
const axis = 2 * (index % 2);
return (own[axis] + place * own[axis + 1] - common[axis]) / common[axis + 1];
}));
}
return found.get(depth) ?? this.at(depth);
};
return other;
}
tokens(row) {
return this.pieces[row].map((piece) => piece.replace(/^[Ġ▁ ]/, "␣"));
}
values(depth, row) {
const extents = this.extents[depth];
if (!extents) return null;
const [x, y] = this.at(depth).subarray(2 * row, 2 * row + 2);
return [extents[0] + x * extents[1], extents[2] + y * extents[3]];
}
}
function neighbours(view, depth, row, k = 5) {
const key = depth * view.n + row;
if (view.fullSpace) {
const first = key * view.fullSpace.k;
const rows = [...view.fullSpace.rows.subarray(first, first + view.fullSpace.k)].filter((other) => other !== row);
return { rows, where: "in all dimensions", reason: "nearby words have identical states" };
}
if (!view.pictured.has(key)) view.pictured.set(key, view.limits[depth] ? inPicture(view, depth, row, k) : []);
return { rows: view.pictured.get(key), where: "in the plot", reason: "there is no plot of this depth" };
}
function inPicture(view, depth, row, k) {
const [x0, x1, y0, y1] = view.limits[depth];
const places = view.at(depth);
const [width, height] = [x1 - x0, y1 - y0];
const best = [];
for (let other = 0; other < view.n; other += 1) {
if (other === row) continue;
const distance = Math.hypot(
width * (places[2 * other] - places[2 * row]), height * (places[2 * other + 1] - places[2 * row + 1]));
if (best.length === k && distance >= best[k - 1][0]) continue;
best.push([distance, other]);
best.sort((one, two) => one[0] - two[0]);
best.length = Math.min(best.length, k);
}
return best.map(([, other]) => other);
}
Explore.highest = ({ numbers, firm }, n, depth, row) => {
const first = n * (row * firm.length + depth);
return [...numbers.subarray(first, first + n)].filter((number) => number > 0).map((number) => number - 1);
};
Object.assign(Explore, { Index, neighbours });
Explore.percentText = (ratio) => (ratio === null ? "–" : `${(100 * ratio).toFixed(1)}\u00a0%`);
Explore.number = (value) => {
const size = Math.abs(value);
const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
};
})();
Explore.SECOND = 0.58;
Tokviz.shape = (() => {
const SHAPES = [
"M.5 0A.5.5 0 1 1-.5 0A.5.5 0 1 1 .5 0Z",
"M-.443 .443L.443 .443L.443-.443L-.443-.443Z",
"M0-.836L-.627.418L.627.418Z",
"M0 .627L.627 0L0-.627L-.627 0Z",
"M0 .836L.627-.418L-.627-.418Z",
"M-.198 .594L.198 .594L.198 .198L.594 .198L.594-.198L.198-.198L.198-.594L-.198-.594L-.198-.198L-.594-.198L-.594 .198L-.198 .198Z",
"M0-.836L-.188-.258L-.796-.258L-.304 .099L-.492 .677L0 .319L.492 .677L.304 .099L.796-.258L.188-.258Z",
"M-.28 .56L0 .28L.28 .56L.56 .28L.28 0L.56-.28L.28-.56L0-.28L-.28-.56L-.56-.28L-.28 0L-.56 .28Z",
"M-.836 0L.418 .627L.418-.627Z",
"M.836 0L-.418-.627L-.418 .627Z",
];
const all = document.documentElement.dataset.shapes?.split("|") ?? SHAPES;
return (category) => all[category % all.length];
})();
