"use strict";
(() => {
const { clamp, decodeIntegers, depthName, load, make } = Tokviz;
const NAME = -1;
const NEAR = "400px";
function shade(value, most) {
if (value === null) return "transparent";
const share = (200 * value) / most;
const [to, from, part] = share <= 100 ? ["mid", "low", share] : ["high", "mid", share - 100];
return `color-mix(in srgb, var(--heat-${to}) ${part.toFixed(0)}%, var(--heat-${from}))`;
}
function gradient(values, most) {
const colors = values.map((value) => shade(value, most));
const stops = [];
let start = 0;
colors.forEach((color, at) => {
if (color === colors[at + 1]) return;
stops.push(`${color} ${((100 * start) / colors.length).toFixed(3)}% ${((100 * (at + 1)) / colors.length).toFixed(3)}%`);
start = at + 1;
});
return `linear-gradient(90deg, ${stops.join(", ")}), var(--heat-blank)`;
}
const valuesOf = (characters) => [...characters].map((one) => (one === " " ? null : one.charCodeAt(0) - 48));
class WordMap {
constructor(root, words, on) {
this.root = root;
this.words = words;
this.on = on;
this.heat = root.querySelector("[data-heat]");
this.line = root.querySelector("[data-heat-line]");
this.voice = root.querySelector("[data-heat-say]");
this.openAll = root.querySelector("[data-open-all]");
this.sides = [];
this.at = null;
this.marked = null;
this.listen();
new IntersectionObserver((entries, observer) => {
if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
observer.disconnect();
this.isNear = true;
this.update();
}, { rootMargin: NEAR }).observe(root);
}
show(sides) {
this.wantedSides = sides;
this.update();
}
update() {
if (!this.isNear || !this.wantedSides) return;
this.load(this.wantedSides).catch((error) => this.line.replaceChildren(make("p", { class: "problem" }, error.message)));
}
async load(sides) {
const wanted = sides.map(({ key }) => key).join(" ");
if (wanted === this.wanted) return;
this.wanted = wanted;
const [words, ...scores] = await Promise.all([
this.heat.querySelector("button") ? load("words", this.words) : null,
...sides.map(({ key, folder }) => load(`${key} scores`, `${folder}/scores.js`)),
]);
if (wanted !== this.wanted) return;
this.vocabulary = words;
this.sides = sides.map((side, index) => ({ ...side, ...scores[index], near: null }));
this.heat.dataset.sides = sides.length;
this.at = null;
this.drawScale();
this.heat.querySelectorAll(".heat-row").forEach((row) => this.fill(row));
this.mark(this.marked);
this.root.dataset.filled = "";
}
fill(row) {
row.querySelectorAll(".heat-axis, .heat-cells").forEach((old) => old.remove());
if (row.matches(".heat-head")) {
const [{ label }] = this.sides;
row.append(...this.sides.map((side) => axis(side, side.label.replace(`${label}, `, ""))));
return;
}
row.append(...this.sides.map((side, index) => {
const cells = make("div", { class: "heat-cells", "data-side": index });
cells.style.backgroundImage = gradient(this.valuesIn(row, side), side.most);
return cells;
}));
}
valuesIn({ dataset: { category, row } }, side) {
return row === undefined ? side.categories[category] : valuesOf(side.words[row]);
}
drawScale() {
const { most } = this.sides[0];
const steps = Math.min(most, 10);
this.root.querySelector("[data-heat-scale]").replaceChildren(
make("span", {}, "0"),
...Array.from({ length: steps + 1 }, (_, step) => {
const swatch = make("i");
swatch.style.background = shade((most * step) / steps, most);
return swatch;
}),
make("span", {}, most === 1 ? "the nearest word" : `${most} of ${most} nearest words`),
);
}
isOpen(head) {
return head.querySelector("button")?.getAttribute("aria-expanded") === "true";
}
setOpen(head, wanted) {
const button = head.querySelector("button");
if (!button || !this.vocabulary || this.isOpen(head) === wanted) return;
button.setAttribute("aria-expanded", String(wanted));
const { words, memberships } = this.vocabulary;
const category = Number(head.dataset.category);
if (wanted) {
const rows = [...memberships.keys()].filter((row) => memberships[row].includes(category));
head.after(...rows.map((row) => {
const made = make("div", { class: "heat-row heat-word", "data-category": category, "data-row": row },
make("span", { class: "heat-name", title: words[row] }, words[row]));
made.classList.toggle("heat-marked", row === this.marked);
this.fill(made);
return made;
}));
} else {
for (const row of this.heat.querySelectorAll(`.heat-word[data-category="${category}"]`)) row.remove();
if (this.at && !this.at.row.isConnected) this.moveTo(head, this.at.column);
}
const heads = [...this.heat.querySelectorAll(".heat-category")];
const all = heads.every((each) => this.isOpen(each));
this.openAll.setAttribute("aria-pressed", String(all));
this.openAll.textContent = all ? "Close all" : "Open all";
}
setAllOpen(wanted) {
for (const head of this.heat.querySelectorAll(".heat-category")) this.setOpen(head, wanted);
}
mark(row) {
this.marked = row;
const categories = row === null ? [] : this.vocabulary?.memberships[row] ?? [];
for (const each of this.heat.querySelectorAll(".heat-category, .heat-word")) {
const { category, row: own } = each.dataset;
const isMarked = own === undefined ? categories.includes(Number(category)) && !this.isOpen(each) : Number(own) === row;
each.classList.toggle("heat-marked", row !== null && isMarked);
}
}
moveTo(row, column, say = false) {
this.at = { row, column };
this.heat.querySelectorAll(".heat-cursor").forEach((old) => old.remove());
this.heat.querySelectorAll(".heat-on").forEach((old) => old.classList.remove("heat-on"));
row.classList.add("heat-on");
const [side, depth] = this.placeOf(column);
if (side) {
this.sides.forEach((each, index) => {
const at = this.depthOn(each, side, depth);
const cursor = make("span", { class: each === side ? "heat-cursor" : "heat-cursor heat-other" });
cursor.style.left = `${(100 * at) / (each.last + 1)}%`;
cursor.style.width = `${100 / (each.last + 1)}%`;
row.querySelectorAll(".heat-cells")[index].append(cursor);
});
}
const word = row.dataset.row === undefined ? null : Number(row.dataset.row);
this.on.point?.(word);
this.describe(row, side, depth, say);
}
depthOn(other, side, depth) {
return other === side ? depth : Math.round(Tokviz.shareOf(depth, side.last) * other.last);
}
placeOf(column) {
if (column === NAME) return [null, null];
const first = this.sides[0].last + 1;
return column < first ? [this.sides[0], column] : [this.sides[1], column - first];
}
async describe(row, side, depth, say) {
const name = row.querySelector(".heat-name").textContent;
const word = row.dataset.row === undefined ? null : Number(row.dataset.row);
const parts = [make("strong", {}, name)];
if (word !== null) parts.push(` (${this.labelOf(row.dataset.category)})`);
const counts = side ? this.sides.map((each) => {
const at = this.depthOn(each, side, depth);
const value = this.valuesIn(row, each)[at];
const found = value === null ? "no count" : `${word === null ? value.toFixed(1) : value} of ${each.most}`;
return `${each.label}${each.last === side.last ? "" : `, ${depthName(at)}`}: ${found}`;
}) : [];
if (side) parts.push(`, ${depthName(depth)} · ${counts.join("; ")}.`);
const near = make("p", { class: "near" });
this.line.replaceChildren(make("p", {}, ...parts), near);
if (side) near.append(...(await this.nearest(row, word, side, depth)));
if (say && near.isConnected) this.voice.textContent = `${this.line.firstElementChild.textContent} ${near.textContent}`;
}
labelOf(category) {
return this.heat.querySelector(`.heat-category[data-category="${category}"] .heat-name`).textContent;
}
async nearest(row, word, side, depth) {
if (this.valuesIn(row, side)[depth] === null) {
return [`${word === null ? "None of its words has" : "It has no"} nearest words: nearby words have identical states.`];
}
if (word === null || !side.neighbours) return [];
side.near ??= load(`${side.key} neighbours`, `${side.folder}/neighbours.js`).then((found) => ({
k: found.k, rows: decodeIntegers(found.rows, this.vocabulary.words.length <= 256 ? 1 : 2),
}));
const { k, rows } = await side.near;
const { words, memberships } = this.vocabulary;
const first = (depth * words.length + word) * k;
return [`Nearest, ${side.label}: `, ...[...rows.subarray(first, first + side.most)].flatMap((other, index) => {
const shares = memberships[other].some((category) => memberships[word].includes(category));
return [index ? ", " : "", make(shares ? "strong" : "span", {}, make("bdi", {}, words[other]))];
}), "."];
}
listen() {
const { heat } = this;
heat.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(event));
heat.addEventListener("pointerleave", () => this.on.point?.(null));
heat.addEventListener("click", (event) => this.click(event));
heat.addEventListener("keydown", (event) => this.onKey(event));
this.openAll?.addEventListener("click", () => this.setAllOpen(this.openAll.getAttribute("aria-pressed") !== "true"));
}
under({ target, clientX }) {
const row = target.closest(".heat-category, .heat-word");
const cells = target.closest(".heat-cells");
if (!row || !this.sides.length) return null;
if (!cells) return [row, NAME];
const side = Number(cells.dataset.side);
const { left, width } = cells.getBoundingClientRect();
const n = this.sides[side].last + 1;
const depth = clamp(Math.floor((n * (clientX - left)) / width), 0, n - 1);
return [row, depth + (side ? this.sides[0].last + 1 : 0)];
}
hover(event) {
const found = this.under(event);
if (found && (found[0] !== this.at?.row || found[1] !== this.at.column)) this.moveTo(...found);
}
click(event) {
const found = this.under(event);
if (!found) return;
const [row, column] = found;
const isNew = row !== this.at?.row || column !== this.at.column;
this.moveTo(row, column);
if (column === NAME || !(event.pointerType === "touch" && isNew)) this.use(row, column);
}
use(row, column) {
const [side, depth] = this.placeOf(column);
if (side) this.on.go(side, depth);
else if (row.dataset.row === undefined) this.setOpen(row, !this.isOpen(row));
else this.on.choose(Number(row.dataset.row));
}
onKey(event) {
if (Tokviz.hasModifier(event) || event.shiftKey || !this.sides.length) return;
const onButton = event.target.closest("button");
const rows = [...this.heat.querySelectorAll(".heat-category, .heat-word")];
const last = this.sides.reduce((sum, side) => sum + side.last + 1, 0) - 1;
const focused = onButton ? { row: onButton.parentElement, column: NAME } : null;
const { row, column } = this.at?.row.isConnected ? this.at : focused ?? { row: rows[0], column: 0 };
const isNew = !this.at;
const step = (by) => rows[clamp(rows.indexOf(row) + (isNew ? 0 : by), 0, rows.length - 1)];
const across = (by) => clamp(column + (isNew ? 0 : by), NAME, last);
const keys = {
ArrowUp: () => this.moveTo(step(-1), column, true),
ArrowDown: () => this.moveTo(step(1), column, true),
ArrowLeft: () => this.moveTo(row, across(-1), true),
ArrowRight: () => this.moveTo(row, across(1), true),
Home: () => this.moveTo(row, 0, true),
End: () => this.moveTo(row, last, true),
...(onButton ? {} : {
Enter: () => this.at && this.use(row, column),
" ": () => this.at && this.toggle(row),
}),
};
if (!keys[event.key]) return;
event.preventDefault();
event.stopPropagation();
keys[event.key]();
this.at?.row.scrollIntoView({ block: "nearest" });
}
toggle(row) {
const head = this.heat.querySelector(`.heat-category[data-category="${row.dataset.category}"]`);
this.setOpen(head, !this.isOpen(head));
}
}
function axis({ stages, mark, last }, label) {
const n = last + 1;
const percent = (depth) => `${(100 * depth) / n}%`;
const made = make("div", { class: "heat-axis" }, make("strong", {}, label));
const bands = make("div", { class: "heat-bands" });
stages.forEach((start, index) => {
const stop = stages[index + 1] ?? n;
const band = make("span", { class: index % 2 ? "heat-band" : "heat-band shaded" }, (stop - start) / n > 0.05 ? String(index + 1) : "");
band.style.left = percent(start);
band.style.width = percent(stop - start);
bands.append(band);
});
if (mark !== null) {
const tick = make("span", { class: "heat-mark" }, make("span", {}, depthName(mark)));
tick.classList.toggle("flipped", mark / n > 0.6);
tick.style.left = percent(mark);
bands.append(tick);
}
made.append(make("div", { class: "heat-ends" }, make("span", {}, depthName(0)), last ? make("span", {}, depthName(last)) : ""), bands);
return made;
}
Tokviz.WordMap = WordMap;
function start(root) {
const { slug, folder, words, captures } = JSON.parse(root.querySelector("[data-word-map-data]").textContent);
const select = root.querySelector("[data-beside-map]");
const find = document.querySelector("[data-find]");
const map = new WordMap(root, words, {
go: (side, depth) => {
location.hash = `#${side.name}/${Tokviz.depthKey(depth)}`;
},
choose: (row) => {
if (!find) return;
find.value = map.vocabulary.words[row];
Tokviz.tell(find, "input");
},
});
const sides = captures.map((each) => ({ ...each, key: `${slug}/${each.name}`, folder: `${folder}/${each.name}` }));
function show() {
const shown = sides.length > 1 ? [sides[0], sides.find(({ name }) => name === select?.value) ?? sides[1]] : sides;
for (const image of root.querySelectorAll(".heat-images img")) {
image.toggleAttribute("data-on-paper", shown.some(({ name }) => name === image.dataset.capture));
}
map.show(shown);
}
select?.addEventListener("change", show);
document.addEventListener("chosen", ({ detail }) => map.mark(detail));
show();
}
for (const root of document.querySelectorAll("[data-word-map]:has([data-word-map-data])")) start(root);
})();
