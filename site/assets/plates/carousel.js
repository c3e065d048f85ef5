"use strict";
Tokviz.PlateCarousel = class {
constructor(board, root) {
this.board = board;
this.root = root;
this.depth = 0;
this.drawn = new Map();
root.addEventListener("shown", ({ detail }) => this.show(detail.depth, detail.isSwiped));
}
panels() {
return [...this.root.querySelectorAll(".panel[data-drawable]:is([data-current], [data-beside])")];
}
show(depth, isSwiped) {
const from = this.stepFrom(depth, isSwiped);
this.depth = depth;
const focused = this.root.contains(document.activeElement) ? this.board.keyIndex(document.activeElement) : -1;
for (const panel of this.panels()) this.showPanel(panel, depth, from.get(panel));
this.tidy();
if (focused >= 0) this.keyButton(focused)?.focus({ preventScroll: true });
this.drawNeighbours();
}
stepFrom(depth, isSwiped) {
const found = new Map();
if (isSwiped || Math.abs(depth - this.depth) !== 1 || !this.board.mayStep()) return found;
for (const { panel, holder, depth: seen } of this.drawn.values()) {
if (seen === this.depth) found.set(panel, this.board.madeOf(holder));
}
return found;
}
showPanel(panel, depth, from = null) {
this.board.use(Tokviz.findCapture(this.board.index.models, panel.dataset), depth, (about) => {
if (Math.abs(depth - this.depth) <= 1 && this.panels().includes(panel)) this.drawSlide(panel, about, depth, from);
}, () => this.leaveImages(panel));
}
drawSlide(panel, about, depth, from) {
const slide = panel.querySelectorAll(".slide")[depth];
const holder = slide?.querySelector(".plate");
if (!holder) return;
this.drawn.set(slide, { panel, holder, depth });
this.board.draw(holder, { about, depth, frame: panel.querySelector(".track"), seen: depth === this.depth, from });
slide.setAttribute("data-near", "");
}
drawNeighbours() {
clearTimeout(this.soon);
this.soon = setTimeout(() => {
for (const panel of this.panels()) {
for (const depth of [this.depth - 1, this.depth + 1]) this.showPanel(panel, depth);
}
}, 120);
}
tidy() {
const shown = this.panels();
for (const [slide, { depth, panel, holder }] of this.drawn) {
if (!shown.includes(panel) || Math.abs(depth - this.depth) > 1) this.forget(slide);
else this.board.setSeen(holder, depth === this.depth);
}
}
forget(slide) {
this.board.forget(this.drawn.get(slide).holder);
slide.removeAttribute("data-near");
this.drawn.delete(slide);
}
leaveImages(panel) {
panel.removeAttribute("data-drawable");
for (const [slide, each] of this.drawn) if (each.panel === panel) this.forget(slide);
for (const image of panel.querySelectorAll("img[data-late]")) image.removeAttribute("data-late");
panel.querySelectorAll(".slide")[this.depth]?.setAttribute("data-near", "");
}
keyButton(index) {
const slide = this.root.querySelector(".panel[data-current]").querySelectorAll(".slide")[this.depth];
return slide.querySelectorAll(".plate-categories button")[index];
}
};
Tokviz.plateSmall = (() => {
const { svg, hueOf, nHues, plateLayout } = Tokviz;
const MARGIN = 5;
const DIAMETER = 4;
function layoutOf(about, width, height) {
const area = { left: MARGIN, top: MARGIN, right: width - MARGIN, bottom: height - MARGIN };
return { width, height, area };
}
const dot = (points, row) => `M${points.x[row].toFixed(1)} ${points.y[row].toFixed(1)}h0`;
function draw(drawing, { view, categories }, { area }, depth) {
const pane = Tokviz.framing.truePane(area, view.extents[depth]);
const points = plateLayout.spread(view.at(depth), view.n, pane, DIAMETER / 2);
const parts = categories.length > nHues ? shapesOf(view, points) : dotsOf(view, points, categories);
const marks = svg("g", { class: "plate-dots", "stroke-width": DIAMETER });
marks.append(...parts.map(([part]) => part));
drawing.replaceChildren(marks, svg("g", { class: "plate-point" }));
return { points, parts };
}
function shapesOf({ vocabulary: { memberships } }, { x, y }) {
return memberships.map(([category], row) => [svg("path", {
class: `mark ${hueOf(category)}`, d: Tokviz.shape(category), transform: `translate(${x[row].toFixed(1)} ${y[row].toFixed(1)}) scale(${DIAMETER + 1})`,
}), [category]]);
}
function dotsOf({ vocabulary: { memberships } }, points, categories) {
const rows = [...memberships.keys()];
return categories.map((_, category) => [svg("path", {
class: hueOf(category), d: rows.filter((row) => memberships[row][0] === category).map((row) => dot(points, row)).join(""),
}), [category]]);
}
function point(drawing, { view }, layout, { points }, row) {
const rings = row === null ? [] : [svg("circle", {
class: hueOf(view.vocabulary.memberships[row][0]), cx: points.x[row], cy: points.y[row], r: DIAMETER + 1,
})];
drawing.querySelector(".plate-point").replaceChildren(...rings);
}
return { layoutOf, draw, point };
})();
