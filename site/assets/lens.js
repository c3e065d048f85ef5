"use strict";
(() => {
const { decodeIntegers, depthName, load, make } = Tokviz;
const NEAR = "400px";
class Lens {
constructor(root) {
Object.assign(this, JSON.parse(root.querySelector("[data-lens-data]").textContent));
this.root = root;
this.address = this.words;
this.table = root.querySelector("[data-lens-table]");
this.problem = root.querySelector("[data-lens-problem]");
this.select = root.querySelector("[data-lens-capture]");
this.rows = [...this.table.querySelectorAll("[data-row]")];
this.turn = 0;
this.select?.addEventListener("change", () => this.update());
root.querySelector("[data-lens-shows]")?.addEventListener("change", () => this.update());
this.openAll = root.querySelector("[data-lens-open]");
this.openAll.addEventListener("click", () => this.setAllOpen(this.openAll.getAttribute("aria-pressed") !== "true"));
this.table.addEventListener("click", ({ target }) => this.click(target));
this.follow(document.querySelector("[data-viewer]"));
new IntersectionObserver((entries, observer) => {
if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
observer.disconnect();
this.isNear = true;
this.update();
}, { rootMargin: NEAR }).observe(root);
}
follow(viewer) {
const shown = () => viewer.querySelector(".panel[data-current]").dataset.context;
if (!viewer || !this.select) return;
let before = shown();
const take = () => {
if (this.captures.some(({ name }) => name === before)) this.select.value = before;
};
take();
viewer.addEventListener("shown", () => {
if (shown() === before) return;
before = shown();
take();
this.update();
});
}
get kind() {
return this.root.querySelector("[data-lens-shows] input:checked")?.value ?? "categories";
}
async update() {
if (!this.isNear) return;
const turn = ++this.turn;
const name = this.select?.value ?? this.captures[0].name;
try {
const [vocabulary, found] = await Promise.all([
load("words", this.address),
load(`${this.slug}/${name} lens`, `${this.folder}/${encodeURIComponent(name)}/lens.js`),
]);
if (turn !== this.turn) return;
this.problem.hidden = true;
this.show(vocabulary, found);
} catch (error) {
if (turn !== this.turn) return;
this.problem.hidden = false;
this.problem.textContent = error.message;
}
}
show(vocabulary, found) {
if (!this.vocabulary) this.makeButtons();
const kind = found[this.kind] ? this.kind : "categories";
const { announced, firm, tops } = found[kind];
Object.assign(this, { vocabulary, firm, n: found.n, isWords: kind === "words", tops: decodeIntegers(tops, found.bytes) });
this.read = this.readRows();
this.table.tHead.rows[0].cells[0].textContent = this.select?.selectedOptions[0].label ?? this.table.tHead.rows[0].cells[0].textContent;
this.table.querySelectorAll("thead th").forEach((head, column) => {
head.classList.toggle("p", !this.isFirm(this.depths[column]));
head.classList.toggle("a", announced[this.depths[column]] === "1");
});
for (const group of this.table.tBodies) this.fillGroup(group);
this.root.querySelectorAll("[data-lens-caption]").forEach((caption, index) => {
caption.hidden = index !== Number(this.isWords);
});
for (const row of this.rows) {
if (row.nextElementSibling?.matches(".lens-all")) this.fillAll(row);
}
this.root.dataset.filled = "";
}
isFirm(depth) {
return this.firm[depth] === "1";
}
bestOf(row, depth) {
const first = (row * this.firm.length + depth) * this.n;
return [...this.tops.subarray(first, first + this.n)].filter((each) => each > 0).map((each) => each - 1);
}
textOf(one) {
return (this.isWords ? this.vocabulary.words : this.categories)[one] ?? "";
}
styleOf(row, one) {
const { memberships } = this.vocabulary;
if (this.isWords ? one === row : memberships[row].includes(one)) return "y";
return this.isWords && memberships[one]?.some((each) => memberships[row].includes(each)) ? "k" : "";
}
readRows() {
const { memberships } = this.vocabulary;
return [...memberships.keys()].filter((row) => memberships[row].length && [...this.firm].some((_, depth) => this.bestOf(row, depth).length));
}
fillGroup(group) {
const { memberships } = this.vocabulary;
const category = this.groups[[...this.table.tBodies].indexOf(group)];
const rows = this.rows.filter((row) => row.parentElement === group);
const own = this.read.filter((row) => memberships[row][0] === category);
this.depths.forEach((depth, column) => {
const pale = this.isFirm(depth) ? "" : "p";
const bestOf = (row) => this.bestOf(row, depth)[0];
for (const row of rows) {
const number = Number(row.dataset.row);
const cell = row.cells[column + 1];
cell.className = `${this.styleOf(number, bestOf(number))} ${pale}`;
cell.textContent = this.textOf(bestOf(number));
}
const n = own.filter((row) => this.styleOf(row, bestOf(row)) === "y").length;
const others = this.isWords ? 0 : this.read.filter((row) => !memberships[row].includes(category) && bestOf(row) === category).length;
const cell = group.rows[0].cells[column + 1];
cell.className = `${n ? `s${Math.ceil((4 * n) / own.length)}` : ""} ${pale}`;
cell.textContent = `${n} of ${own.length}${others ? ` +${others}` : ""}`;
});
}
makeButtons() {
for (const head of this.table.querySelectorAll("tbody th")) {
head.replaceChildren(make("button", { type: "button", "aria-expanded": "false" }, ...head.childNodes));
}
}
click(target) {
const row = target.closest("tbody tr:not(.lens-all)");
if (!row?.querySelector("button")) return;
if (row.matches("[data-row]")) this.toggle(row);
else this.setOpen(row.parentElement, !this.isOpen(row.parentElement));
}
isOpen(group) {
return group.hasAttribute("data-open");
}
setOpen(group, wanted) {
group.toggleAttribute("data-open", wanted);
group.querySelector("button").setAttribute("aria-expanded", String(wanted));
const all = [...this.table.tBodies].every((each) => this.isOpen(each));
this.openAll.setAttribute("aria-pressed", String(all));
this.openAll.textContent = all ? "Close all" : "Open all";
}
setAllOpen(wanted) {
if (this.vocabulary) for (const group of this.table.tBodies) this.setOpen(group, wanted);
}
toggle(row) {
const button = row.querySelector("button");
const isOpen = button.getAttribute("aria-expanded") === "true";
button.setAttribute("aria-expanded", String(!isOpen));
if (isOpen) return void row.nextElementSibling.remove();
const cell = make("td", { colspan: row.cells.length });
row.after(make("tr", { class: "lens-all" }, cell));
return this.fillAll(row);
}
fillAll(row) {
const number = Number(row.dataset.row);
const lines = [...this.firm].map((_, depth) => make("li", { class: this.isFirm(depth) ? "" : "p" },
make("span", {}, depthName(depth)), " ",
...this.bestOf(number, depth).flatMap((one, place) => [
place ? ", " : "", make(this.styleOf(number, one) === "y" ? "strong" : "span", {}, make("bdi", {}, this.textOf(one))),
])));
row.nextElementSibling.cells[0].replaceChildren(make("ol", { class: "lens-lines", "aria-label": `${row.cells[0].textContent}, all layers` }, ...lines));
}
}
for (const root of document.querySelectorAll("[data-lens]:has([data-lens-data])")) new Lens(root);
})();
