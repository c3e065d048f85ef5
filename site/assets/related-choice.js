"use strict";
(() => {
const SCRIPT = document.currentScript.src.replace(/[^/]*$/, "related-plot.js");
Tokviz.RelatedChoice = class {
constructor(root, changed) {
this.root = root;
this.select = root.querySelector("[data-related-choice]");
this.hosts = [];
this.turn = 0;
this.changed = changed;
this.select.addEventListener("change", changed);
}
get isChosen() {
return this.select.value !== "";
}
get address() {
return this.isChosen ? `&related=${encodeURIComponent(this.select.value)}` : "";
}
open(name = "") {
const key = Tokviz.decode(name);
this.select.value = [...this.select.options].some(({ value }) => value === key) ? key : "";
}
show(figures) {
const turn = ++this.turn;
const { root, select, isChosen } = this;
root.toggleAttribute("data-related-chosen", isChosen);
for (const each of root.querySelectorAll("[data-all-words]")) each.inert = isChosen;
const hosts = isChosen ? figures.map(({ host }) => host) : [];
for (const host of this.hosts) if (!hosts.includes(host)) Tokviz.related?.hide(host);
this.hosts = hosts;
if (!isChosen) return;
Promise.resolve(Tokviz.related ?? Tokviz.loadScripts([SCRIPT])).then(() => {
if (turn === this.turn) for (const { host, ...each } of figures) Tokviz.related.show(host, select.value, each);
}, () => this.giveUp());
}
showSlides({ dataset: source }, panels, depth) {
this.show(panels.flatMap(({ root, context, slides }) => [depth, depth - 1, depth + 1].filter((each) => slides[each]).map((each) => ({
host: slides[each].querySelector("figure"), source, context, depth: each, isMeasured: root.hasAttribute("data-has-relations"),
}))));
}
giveUp() {
if (this.select.disabled) return;
this.select.value = "";
this.select.disabled = true;
this.changed();
}
static of(root, changed) {
return root.querySelector("[data-related-choice]") ? new Tokviz.RelatedChoice(root, changed) : undefined;
}
};
})();
