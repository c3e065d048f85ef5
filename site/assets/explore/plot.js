"use strict";
(() => {
const ZOOM = 220;
const SETTLE_DELAY = 110;
const MOST_LABELS = 150;
const POINTER_RADIUS = 26;
const ZOOM_FACTOR = 1.6;
const WHEEL_FACTOR = 1.2;
const wheelDelta = d3.zoom().wheelDelta();
const { clamp, svg, movement } = Tokviz;
const PAPER = 640;
const PRINT = matchMedia("print");
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
class Plot {
constructor(root, on) {
this.root = root;
this.on = on;
this.inner = root.querySelector(".plot-inner");
this.axes = root.querySelector(".plot-axes");
this.problem = root.querySelector(".problem");
this.over = root.querySelector(".plot-over");
const [trails, band] = ["trails", "band"].map((name) => svg("g", { class: name }));
this.over.append(trails, band);
this.painters = [
new Explore.SvgPainter(root.querySelector(".plot-marks")), new Explore.CanvasPainter(root.querySelector("canvas")),
];
this.trails = new Explore.Trails(trails);
this.band = new Explore.Band(band);
this.overlay = new Explore.Overlay(this.over);
this.transform = d3.zoomIdentity;
this.current = null;
this.chosen = null;
this.stepped = -Infinity;
this.pins = [];
this.width = this.height = 0;
this.listen();
new ResizeObserver(() => {
if (PRINT.matches) return;
this.measure();
root.style.setProperty("--on-screen", `${root.clientWidth}px`);
root.style.setProperty("--high-on-screen", `${root.clientHeight}px`);
root.style.setProperty("--to-paper", Math.min(1, PAPER / root.clientWidth));
}).observe(root);
}
setView(view, depth) {
const fresh = this.view === undefined || this.view.n !== view.n;
this.view = view;
this.painter?.stop();
this.painter = this.painters[view.n > Explore.MOST_IN_SVG ? 1 : 0];
this.diameter = Explore.diameterFor(view.n);
this.painter.start(view, this.diameter);
if (fresh) {
[this.x, this.y] = [new Float32Array(view.n), new Float32Array(view.n)];
this.now = new Float32Array(2 * view.n);
this.order = Uint32Array.from(view.vocabulary.words.keys()).sort((a, b) => scattered(a) - scattered(b));
}
this.clearNames();
this.frameView();
this.moveTo(depth, { jumps: fresh });
this.measure(true);
}
frameView() {
const { view, inner: { clientWidth, clientHeight } } = this;
this.framed = new Explore.Framed(view, clientWidth || 1, clientHeight || 1, Tokviz.plotScale.mode);
this.trails.setView(this.framed);
this.reach = this.framed.reach;
this.axesDrawn = null;
}
rescale() {
const { depth } = this;
if (depth === undefined) return;
this.frameView();
this.moveTo(depth);
}
stepTo(depth) {
if (depth === this.depth) return;
const isStep = Math.abs(depth - this.depth) === 1 && this.view.extents[this.depth] !== null;
const isClose = performance.now() - this.stepped < movement.DURATION;
if (isStep) this.stepped = performance.now();
this.moveTo(depth, { jumps: !isStep || isClose, turns: true });
}
moveTo(depth, { jumps = false, turns = false } = {}) {
this.depth = depth;
const hasPicture = this.view.extents[depth] !== null;
this.inner.style.visibility = hasPicture ? "" : "hidden";
this.problem.hidden = hasPicture;
this.problem.textContent = hasPicture ? "" : this.view.problems[depth] ?? "There is no plot of this depth.";
this.to = this.framed.at(depth);
const moves = !jumps && hasPicture && this.width > 0 && !reducedMotion.matches;
this.motion = moves ? new Explore.Motion(this.now, this.to, this, turns) : null;
this.moving = true;
this.trails.moveTo(depth);
this.tree = null;
if (!moves || !this.visible) this.stale = true;
else {
this.project(this.to);
this.placeLabels();
}
this.started = performance.now();
this.request();
}
setVisible(visible) {
this.visible = visible;
this.tree = null;
this.clearNames();
}
setCurrent(row) {
this.current = row;
this.request();
}
setPins(rows) {
this.pins = rows;
this.clearNames();
}
setTrails(kind) {
if (kind === this.trails.kind) return;
this.trails.setKind(kind);
this.limitZoom();
this.request();
}
measure(force = false) {
const [width, height] = [this.inner.clientWidth, this.inner.clientHeight];
if (!this.view || !width || (!force && width === this.width && height === this.height)) return;
const share = this.zoomed();
if (width !== this.width || height !== this.height) this.motion = null;
[this.width, this.height] = [width, height];
this.frameView();
this.to = this.framed.at(this.depth);
if (!this.moving) this.now.set(this.to);
this.painter.resize(width, height);
this.limitZoom();
this.setZoomed(share);
this.tree = null;
this.clearNames();
}
limitZoom() {
const { width, height } = this;
const reach = Math.max(this.reach, this.trails.reach);
const [dx, dy] = [(width * (reach - 1)) / 2, (height * (reach - 1)) / 2];
const least = Math.min(1, 0.96 / reach);
this.zoom.extent([[0, 0], [width, height]]).scaleExtent([least, 64]).translateExtent([[-dx, -dy], [width + dx, height + dy]]);
if (this.transform.k < least) this.setZoomed(null);
}
zoomed() {
const { k, x, y } = this.transform;
if (k === 1 && x === 0 && y === 0) return null;
return [k, (this.width / 2 - x) / k / this.width, (this.height / 2 - y) / k / this.height];
}
setZoomed(share) {
const [k, x, y] = share ?? [1, 0.5, 0.5];
const where = d3.zoomIdentity.translate(this.width / 2, this.height / 2).scale(k)
.translate(-x * this.width, -y * this.height);
d3.select(this.inner).call(this.zoom.transform, share ? where : d3.zoomIdentity);
}
recolor(scheme = "") {
this.painter?.recolor(scheme);
if (scheme && this.view && this.width) this.painter.paint(this.x, this.y, this.visible);
else this.request();
}
request() {
this.frame ??= requestAnimationFrame((now) => {
this.frame = null;
if (this.view && this.width) this.draw(now);
});
}
draw(now) {
const share = this.motion ? clamp((now - this.started) / movement.DURATION, 0, 1) : 1;
const eased = d3.easeCubicInOut(share);
if (this.moving) {
if (this.motion) this.motion.fill(this.now, eased);
else this.now.set(this.to);
this.moving = share < 1;
}
this.project();
this.painter.paint(this.x, this.y, this.visible);
this.drawAxes();
this.drawTrails(eased);
this.drawOver(eased);
if (this.moving) this.request();
else if (this.stale) this.settle();
}
project(now = this.now) {
const { k, x: left, y: top } = this.transform;
const { width, height } = this;
for (let row = 0; row < this.x.length; row += 1) {
this.x[row] = left + k * now[2 * row] * width;
this.y[row] = top + k * (1 - now[2 * row + 1]) * height;
}
const inset = 0.7 * this.diameter;
const { left: near, right: far, top: high, bottom: low } = this.framed.paneAt(this.depth, this.transform);
for (const row of this.framed.beyond(this.depth)) {
this.x[row] = clamp(this.x[row], near + inset, far - inset);
this.y[row] = clamp(this.y[row], high + inset, low - inset);
}
}
settle() {
clearTimeout(this.settleTimer);
this.settleTimer = setTimeout(() => {
if (this.moving) return;
this.placeLabels();
this.request();
}, SETTLE_DELAY);
}
placeLabels() {
this.stale = false;
const pins = this.pins.filter((row) => this.visible[row]);
const layers = pins.flatMap((row) => this.trails.layers(row, [this.x[row], this.y[row]], this.pixels));
const labels = Explore.placeLabels({
...this.picture(), wanted: [...pins.map((row) => ({ row, text: this.labelOf(row), kind: "pinned" })), ...layers], rows: this.order,
visible: this.visible, textOf: (row) => this.labelOf(row), most: MOST_LABELS,
});
this.overlay.setLabels(labels.filter(({ kind }) => kind !== "layer"), this.view.vocabulary, this);
this.trails.numbers = labels.filter(({ kind }) => kind === "layer");
}
get pixels() {
const { width, height, transform: { k, x, y } } = this;
return ([across, up]) => [x + k * across * width, y + k * (1 - up) * height];
}
async still() {
while (this.moving || this.stale) await new Promise(requestAnimationFrame);
}
picture() {
const { x, y, width, height } = this;
return { x, y, width, height, radius: this.diameter / 2 + 0.5 };
}
clearNames() {
this.overlay.clearLabels();
this.stale = true;
this.request();
}
drawAxes() {
const limits = this.framed.limits[this.depth];
const { x, y, k } = this.transform;
const { width, height } = this;
const [left, top] = [this.inner.offsetLeft, this.inner.offsetTop];
const key = [this.view.capture.key, this.depth, k, x, y, width, height, left].join();
if (key === this.axesDrawn) return;
this.axesDrawn = key;
const variance = this.view.variance[this.depth];
const frame = this.framed.frames[this.depth];
const panes = { main: this.framed.paneAt(this.depth, this.transform), band: frame?.band ? this.framed.paneAt(this.depth, this.transform, "band") : null };
this.axes.replaceChildren(...Explore.axes({ limits, frame, panes, variance, transform: this.transform, left, top, width, height }));
}
drawTrails(share) {
const words = this.pins.filter((row) => this.visible[row]).map((row) => [row, [this.x[row], this.y[row]]]);
this.trails.draw(words, share, this.pixels, !this.moving && !this.stale);
}
drawOver(share) {
const { view, depth, visible, moving, diameter } = this;
const current = this.current !== null && visible[this.current] ? this.current : null;
const near = current === null ? [] : Explore.neighbours(view, depth, current).rows.filter((row) => visible[row]);
const pins = this.pins.filter((row) => visible[row]);
this.chosen = current === null ? null : [...near, ...pins, current];
this.inner.classList.toggle("pointing", current !== null);
this.band.draw(this.framed, depth, visible, this.chosen, this.transform);
this.overlay.draw(view, { current, near, pins, moving, share, diameter, labelOf: (row) => this.labelOf(row) }, this.picture());
}
labelOf(row) {
const text = Explore.shortened(this.view.vocabulary.names[row]);
if (!this.framed.beyond(this.depth).has(row)) return text;
const { k, x, y } = this.transform;
const [left, top] = [x + k * this.to[2 * row] * this.width, y + k * (1 - this.to[2 * row + 1]) * this.height];
const pane = this.framed.paneAt(this.depth, this.transform);
const across = Math.sign(left - clamp(left, pane.left, pane.right));
const down = Math.sign(top - clamp(top, pane.top, pane.bottom));
return `${text} ${Explore.arrow([across, down])}`.trim();
}
listen() {
this.zoom = d3.zoom().filter((event) => {
if (event.type === "wheel") return event.ctrlKey || event.metaKey || this.root.contains(document.activeElement);
if (event.type.startsWith("touch")) return event.touches.length > 1 || this.transform.k !== 1;
return !event.button && !event.ctrlKey;
}).wheelDelta((event) => clamp(wheelDelta(event), -Math.log2(WHEEL_FACTOR), Math.log2(WHEEL_FACTOR))).on("zoom", ({ transform, sourceEvent }) => {
this.transform = transform;
this.inner.classList.toggle("zoomed", transform.k !== 1);
this.tree = null;
this.stale = true;
this.request();
if (sourceEvent !== undefined) this.on.zoomed();
});
d3.select(this.inner).call(this.zoom).on("dblclick.zoom", null);
this.inner.addEventListener("pointermove", (event) => {
if (event.pointerType !== "touch" && !event.buttons) this.on.point(this.under(event), "pointer");
});
this.inner.addEventListener("pointerleave", (event) => {
if (event.pointerType !== "touch") this.on.point(null, "pointer");
});
this.inner.addEventListener("click", (event) => {
const row = this.under(event);
if (row === null) return this.on.point(null, "click");
if (event.pointerType === "touch" && row !== this.current) return this.on.point(row, "touch");
return this.on.pin(row);
});
this.root.addEventListener("keydown", (event) => this.onKey(event));
document.addEventListener("scale", () => this.rescale());
}
under(event) {
if (!this.view || this.moving) return null;
const box = this.inner.getBoundingClientRect();
this.tree ??= d3.quadtree(this.rowsInside(), (row) => this.x[row], (row) => this.y[row]);
return this.tree.find(event.clientX - box.left, event.clientY - box.top, POINTER_RADIUS) ?? null;
}
rowsInside() {
const inside = (row) => this.x[row] >= 0 && this.y[row] >= 0 && this.x[row] <= this.width && this.y[row] <= this.height;
return Array.from(this.visible.keys()).filter((row) => this.visible[row] && inside(row));
}
onKey(event) {
if (Tokviz.hasModifier(event)) return;
const direction = DIRECTIONS[event.key];
const keys = {
Enter: () => this.current !== null && this.on.pin(this.current),
" ": () => this.current !== null && this.on.pin(this.current),
Escape: () => this.on.point(null, "key"),
PageDown: () => this.on.step(1),
PageUp: () => this.on.step(-1),
"+": () => this.zoomBy(ZOOM_FACTOR),
"=": () => this.zoomBy(ZOOM_FACTOR),
"-": () => this.zoomBy(1 / ZOOM_FACTOR),
"−": () => this.zoomBy(1 / ZOOM_FACTOR),
0: () => this.zoomBy(null),
};
const act = direction
? () => (event.shiftKey ? this.panBy(direction) : this.goTo(direction))
: keys[event.key];
if (!act) return;
event.preventDefault();
event.stopPropagation();
act();
}
goTo([right, down]) {
const rows = this.rowsInside();
const at = this.current !== null && this.visible[this.current] ? this.current : null;
const [x, y] = at === null ? [this.width / 2, this.height / 2] : [this.x[at], this.y[at]];
let [best, least] = [null, Infinity];
for (const row of rows) {
const [dx, dy] = [this.x[row] - x, this.y[row] - y];
const along = dx * right + dy * down;
const across = Math.abs(dx * down) + Math.abs(dy * right);
const cost = at === null ? Math.hypot(dx, dy) : along + 2 * across;
if (row === at || (at !== null && along <= 0.01) || cost >= least) continue;
[best, least] = [row, cost];
}
if (best !== null) this.on.point(best, "key");
}
zoomBy(factor) {
const inner = d3.select(this.inner);
const target = reducedMotion.matches ? inner : inner.transition().duration(ZOOM);
const current = this.current;
if (factor === null) target.call(this.zoom.transform, d3.zoomIdentity);
else if (current !== null && this.visible[current]) target.call(this.zoom.scaleBy, factor, [this.x[current], this.y[current]]);
else target.call(this.zoom.scaleBy, factor);
setTimeout(() => this.on.zoomed(), ZOOM + 30);
}
panBy([right, down]) {
d3.select(this.inner).call(
this.zoom.translateBy, (-right * 0.15 * this.width) / this.transform.k, (-down * 0.15 * this.height) / this.transform.k);
this.on.zoomed();
}
}
const scattered = (row) => Math.imul(row + 1, 2654435761) >>> 0;
Object.assign(Explore, { Plot, ZOOM_FACTOR });
})();
