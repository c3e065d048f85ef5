"use strict";
(() => {
const { svg } = Tokviz;
class Overlay {
constructor(root) {
this.layers = Object.fromEntries(["links", "full", "labels", "rings", "names"].map((name) => {
const group = svg("g", { class: name });
root.append(group);
return [name, group];
}));
this.placed = [];
}
clearLabels() {
this.placed = [];
this.layers.labels.replaceChildren();
}
setLabels(placed, vocabulary, { x, y }) {
const before = new Map(this.placed.map(({ row, away }) => [row, away]));
this.placed = placed.map(({ row, text, x: left, y: base }) => {
const away = [left - x[row], base - y[row]];
return { row, text, away, from: before.get(row) };
});
this.layers.labels.replaceChildren(...this.placed.map(({ row, text, away: [left, base] }) =>
svg("text", { x: left, y: base, class: vocabulary.hueOf(row), transform: place(x[row], y[row]) }, text)));
}
draw(view, { current, near, pins, moving, share, diameter, labelOf }, picture) {
const { layers } = this;
const { x, y } = picture;
const at = (row) => place(x[row], y[row]);
const own = current === null ? [] : [current];
const ring = (row, kind, margin) => svg("circle", { class: kind, r: (diameter / 2 + margin).toFixed(1), transform: at(row) });
layers.labels.classList.toggle("faint", current !== null);
layers.links.replaceChildren(...(moving ? [] : near).map((row) => svg("line", {
x1: x[current].toFixed(1), y1: y[current].toFixed(1), x2: x[row].toFixed(1), y2: y[row].toFixed(1),
})));
layers.full.replaceChildren(...(current === null ? [] : [...near, ...pins, current]).map((row) => {
const mark = Explore.mark(view.vocabulary.memberships[row], view.hollow[row], diameter);
mark.setAttribute("transform", at(row));
return mark;
}));
layers.rings.replaceChildren(...pins.map((row) => ring(row, "pinned", 3.5)), ...own.map((row) => ring(row, "current", 4)));
const others = pins.filter((row) => row !== current);
const names = Object.entries({ current: own, pinned: others, near: near.filter((row) => !pins.includes(row)) })
.flatMap(([kind, rows]) => rows.map((row) => ({ row, text: labelOf(row), kind })));
const named = new Set(names.map(({ row }) => row));
this.placed.forEach(({ row, away, from = away }, index) => {
const text = layers.labels.children[index];
const [left, top] = from.map((each, axis) => (1 - share) * (each - away[axis]));
text.setAttribute("transform", place(x[row] + left, y[row] + top));
text.style.display = named.has(row) ? "none" : "";
});
layers.names.replaceChildren(...Explore.placeNames(names, picture).map(({ row, text, kind, x: left, y: base }) =>
svg("text", { class: `${kind} ${view.vocabulary.hueOf(row)}`, x: left.toFixed(1), y: base.toFixed(1) }, text)).reverse());
}
}
const place = (x, y) => `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
Explore.Overlay = Overlay;
})();
