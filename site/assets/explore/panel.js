"use strict";
(() => {
const { captures, clamp, depthName, make } = Tokviz;
class Panel {
constructor(root, index, on) {
this.root = root;
this.index = index;
this.on = on;
this.plot = new Explore.Plot(root.querySelector("[data-plot]"), on);
this.choice = new captures.Choice(root, index.models, on.chosen);
this.room = root.querySelector(".plot-room");
this.depthLabel = root.querySelector(".view-depth");
this.readout = root.querySelector(".readout");
this.scales = root.querySelector(".plot-scale");
this.depth = 0;
const zooms = { in: Explore.ZOOM_FACTOR, out: 1 / Explore.ZOOM_FACTOR, whole: null };
for (const button of root.querySelectorAll("[data-zoom]")) {
button.addEventListener("click", () => this.plot.zoomBy(zooms[button.dataset.zoom]));
}
document.addEventListener("scale", () => this.showScale());
for (const button of this.scales.children) button.addEventListener("click", () => Tokviz.plotScale.choose(button.dataset.scale));
}
async choose(capture) {
this.capture = capture;
this.choice.show(capture, ["model"]);
this.name = captures.label(capture);
this.root.setAttribute("aria-label", this.name);
this.plot.root.setAttribute("aria-label", this.name);
const view = await this.index.view(capture);
if (this.capture === capture) this.view = view;
return this.capture === capture;
}
show(depth, visible) {
this.depth = clamp(depth, 0, this.view.last);
this.plot.visible = visible;
if (this.plot.view === this.view) this.plot.stepTo(this.depth);
else this.plot.setView(this.view, this.depth);
this.depthLabel.textContent = depthName(this.depth);
this.showScale();
}
showScale() {
const extents = this.view?.extents[this.depth];
this.scales.style.visibility = extents && Tokviz.framing.isDivided(extents) ? "" : "hidden";
for (const button of this.scales.children) button.setAttribute("aria-pressed", String(button.dataset.scale === Tokviz.plotScale.mode));
}
fail(error) {
this.plot.problem.hidden = false;
this.plot.problem.textContent = error.message;
this.plot.inner.style.visibility = "hidden";
this.scales.style.visibility = "hidden";
}
facts(row, categories) {
const { vocabulary } = this.view;
const pieces = this.view.tokens(row);
const { rows, where, reason } = Explore.neighbours(this.view, this.depth, row);
return {
word: vocabulary.names[row],
category: vocabulary.categoriesOf(row, categories),
tokens: pieces.map(Explore.isolated).join(" · "),
count: Explore.countOf(pieces),
position: this.view.outside.has(row) ? "read at a different position than the reference words" : "",
rows,
neighbours: rows.map((other) => Explore.isolated(vocabulary.names[other])),
where,
reason,
values: this.view.values(this.depth, row),
};
}
describe(row, categories) {
if (row === null) {
this.readout.replaceChildren(make("p", { class: "hint" }, "Point at a word, or find one by name, to see its nearest words."));
return;
}
const facts = this.facts(row, categories);
const about = make("p", { class: "about" },
`${facts.category} · ${facts.count} `, make("code", {}, facts.tokens), facts.position ? ` · ${facts.position}` : "");
const near = facts.rows.length ? `Nearest ${facts.where}:` : `No neighbors: ${facts.reason}.`;
this.readout.replaceChildren(
make("p", { class: "word" }, this.swatch(row), make("strong", {}, facts.word)), about, make("p", { class: "near" }, near),
make("ul", {}, ...facts.rows.map((other, index) => make("li", {}, this.swatch(other), make("span", {}, facts.neighbours[index])))));
if (this.capture.context.lens) this.tellLens(row, categories);
}
async tellLens(row, categories) {
const { capture, view, depth } = this;
const place = make("div", { class: "said" });
this.readout.append(place);
try {
const lens = await this.index.lens(capture);
if (!place.isConnected) return;
const names = { categories, words: view.vocabulary.names.map(Explore.isolated) };
const told = Object.entries(names).flatMap(([kind, of]) => {
const rows = lens[kind] ? Explore.highest(lens[kind], lens.n, depth, row) : [];
return rows.length ? [line(kind, rows.map((each) => of[each]), lens[kind].firm[depth] === "1")] : [];
});
if (told.length) place.append(make("p", { class: "near" }, `${depth ? "This layer" : "The embedding"} would say:`), ...told);
} catch (error) {
place.textContent = error.message;
}
}
swatch(row) {
return Explore.swatch(this.view.vocabulary.memberships[row], this.view.hollow[row]);
}
}
function line(kind, names, isFirm) {
const text = `${kind === "words" ? "word" : "category"}: ${names.join(", ")}`;
return make("p", isFirm ? {} : { class: "pale" }, isFirm ? text : `${text} (uncertain)`);
}
Explore.Panel = Panel;
})();
