"use strict";
Tokviz.related = (() => {
const { svg, make, hueOf } = Tokviz;
const MARGIN = { left: 30, right: 90, top: 36, bottom: 24 };
const NARROW = 480; // Pixels of width: below, less is kept free for names at the right.
const RADIUS = 4;
const MOST_NAMED = 40; // Of more words, those have names that leave room for each other.
const MOST_OF_MARK = 0.25; // Of the area of any mark that a name covers, before the name is left to its own mark.
const MOST_ON_NAMES = 0.02; // Of a name's own area, by names that are there already.
const ON_NAMES = 4; // What area of other names counts more than that of marks.
const CROSSED = 1; // Pixels of area that one of a line through a name counts as.
const SIDES = [[8, 4, "start"], [-8, 4, "end"], [0, -8, "middle"], [0, 17, "middle"], [7, -5, "start"], [7, 13, "start"], [-7, -5, "end"], [-7, 13, "end"]];
const shown = new Map();
const panes = new WeakMap();
const pointsOf = (flat) => Array.from({ length: flat.length / 2 }, (_, row) => [flat[2 * row], flat[2 * row + 1]]);
function frame(kind, points) {
const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
const [low, high] = [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]];
if (kind === "line") return [[Math.min(low[0], low[1]), low[1]], [Math.max(high[0], high[1]), high[1]]];
if (kind === "circle") return [low.map((each) => Math.min(each, -1)), high.map((each) => Math.max(each, 1))];
return [low, high];
}
function scaleOf(kind, points, [width, height]) {
const [low, high] = frame(kind, points);
const right = MARGIN.right * Math.min(1, width / NARROW);
const room = [width - MARGIN.left - right, height - MARGIN.top - MARGIN.bottom].map((each) => Math.max(each, 1));
const spans = [0, 1].map((axis) => high[axis] - low[axis] || 1);
const own = spans.map((span, axis) => room[axis] / span);
const units = kind === "line" ? own : own.map(() => Math.min(...own));
const middle = [0, 1].map((axis) => (low[axis] + high[axis]) / 2);
const centre = [MARGIN.left + room[0] / 2, MARGIN.top + room[1] / 2];
const place = ([x, y]) => [centre[0] + (x - middle[0]) * units[0], centre[1] - (y - middle[1]) * units[1]];
return { place, unit: units[0], low, high };
}
const at = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
function lines(kind, places) {
const all = places.map((place, row) => [place, places[(row + 1) % places.length]]);
if (kind === "pairs") return all.filter((_, row) => row % 2 === 0);
return kind === "circle" ? all : all.slice(0, -1);
}
function drawn(kind, places, joined) {
if (kind === "pairs") return joined.map((ends) => `M${ends.map(at).join("L")}`).join("");
return `M${places.map(at).join("L")}${kind === "circle" ? "Z" : ""}`;
}
function shouldBe(kind, { place, unit, low, high }) {
if (kind === "circle") {
const [cx, cy] = place([0, 0]);
return [svg("circle", { class: "related-ring", cx, cy, r: unit })];
}
if (kind === "line") return [svg("path", { class: "related-ring", d: `M${at(place([low[1], low[1]]))}L${at(place([high[1], high[1]]))}` })];
return [];
}
const overlap = (one, other) =>
Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left))
* Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));
function lengthWithin([[x1, y1], [x2, y2]], { left, right, top, bottom }) {
let [from, to] = [0, 1];
for (const [start, step, low, high] of [[x1, x2 - x1, left, right], [y1, y2 - y1, top, bottom]]) {
if (step === 0 && (start < low || start > high)) return 0;
if (step === 0) continue;
const ends = [(low - start) / step, (high - start) / step];
[from, to] = [Math.max(from, Math.min(...ends)), Math.min(to, Math.max(...ends))];
}
return Math.max(0, to - from) * Math.hypot(x2 - x1, y2 - y1);
}
function placeNames(drawing, words, places, joined, [width, height]) {
const marks = places.map(([x, y]) => ({ left: x - RADIUS, right: x + RADIUS, top: y - RADIUS, bottom: y + RADIUS }));
const texts = words.map((word) => svg("text", {}, word));
drawing.append(...texts);
const widths = texts.map((text) => text.getComputedTextLength());
const line = texts.length ? Number.parseFloat(getComputedStyle(texts[0]).fontSize) + 1 : 0;
const layer = drawing.querySelector(".related-where").getBBox();
const named = [{ left: layer.x, right: layer.x + layer.width, top: layer.y, bottom: layer.y + layer.height }];
const coverage = (box, others) => others.reduce((sum, other) => sum + overlap(box, other), 0);
texts.forEach((text, row) => {
const long = widths[row];
const boxes = SIDES.map(([dx, dy, anchor]) => {
const x = places[row][0] + dx;
const left = anchor === "start" ? x : anchor === "end" ? x - long : x - long / 2;
const y = places[row][1] + dy;
const box = { left, right: left + long, top: y - line + 3, bottom: y + 3, x, y, anchor };
const outside = Math.max(0, -left) + Math.max(0, left + long - width) + Math.max(0, -box.top) + Math.max(0, box.bottom - height);
const onNames = coverage(box, named);
const onMark = Math.max(...marks.map((mark) => overlap(box, mark)));
const covered = onNames + coverage(box, marks);
const crossed = joined.reduce((sum, each) => sum + lengthWithin(each, box), 0);
return { ...box, covered, onNames, onMark, cost: outside * line + covered + ON_NAMES * onNames + CROSSED * crossed };
});
const best = boxes.reduce((one, other) => (other.cost < one.cost ? other : one));
const isCrowded = best.onMark > MOST_OF_MARK * (2 * RADIUS) ** 2 || best.onNames > MOST_ON_NAMES * widths[row] * line;
if (words.length > MOST_NAMED ? best.covered > 0 : isCrowded) {
text.remove();
return;
}
named.push(best);
for (const [name, value] of [["x", best.x.toFixed(1)], ["y", best.y.toFixed(1)], ["text-anchor", best.anchor]]) text.setAttribute(name, value);
});
return texts;
}
function redraw(plot) {
const { item: { kind, words, hues, places: every, problem }, depth, title, name } = shown.get(plot);
const size = [plot.clientWidth, plot.clientHeight];
if (!size[0]) return;
shown.get(plot).size = size.join();
const flat = every[depth];
if (!flat) {
plot.replaceChildren(problem ?? `Not defined at ${Tokviz.depthName(depth).replace("embedding", "the embedding")}.`);
return;
}
const points = pointsOf(flat);
const scale = scaleOf(kind, points, size);
const places = points.map(scale.place);
const drawing = svg("svg", { viewBox: `0 0 ${size.join(" ")}`, role: "img", "aria-label": name });
plot.replaceChildren(drawing);
const joined = lines(kind, places);
const marks = places.map(([cx, cy], row) => {
const mark = svg("circle", {
class: `${hueOf(hues[row])} ${kind === "pairs" && row % 2 === 0 ? "hollow" : "full"}`, cx: cx.toFixed(1), cy: cy.toFixed(1), r: RADIUS,
});
mark.append(svg("title", {}, words[row]));
return mark;
});
const where = svg("text", { class: "related-where", x: 8, y: 16 }, title);
drawing.append(where, ...shouldBe(kind, scale),
svg("path", { class: "related-lines", d: drawn(kind, places, joined) }), ...marks);
where.textContent = Tokviz.fitted(title, size[0] - 16, (text) => {
where.textContent = text;
return where.getComputedTextLength();
});
placeNames(drawing, words, places, joined, size).forEach((text, row) => text.setAttribute("class", `${hueOf(hues[row])} related-name`));
}
const resized = new ResizeObserver((entries) => {
for (const { target } of entries) {
if (shown.get(target)?.size !== [target.clientWidth, target.clientHeight].join()) redraw(target);
}
});
function draw(plot, item, depth, title, name = title) {
if (!shown.has(plot)) resized.observe(plot);
shown.set(plot, { item, depth, title, name });
redraw(plot);
}
function clear(plot, message = "") {
shown.delete(plot);
resized.unobserve(plot);
plot.replaceChildren(message);
}
const load = ({ slug, folder }, context) =>
Tokviz.load(`${slug}/${context} relations`, `${folder}/${encodeURIComponent(context)}/relations.js`);
function makePane(host) {
const [root, plot, said, how] = ["pane", "plot", "said", "how"].map((part) => make("div", { class: `related-${part}` }));
const text = make("span");
said.append(text);
root.append(plot, said, how);
if (Tokviz.take) {
const control = make("span", { "data-take": "related" });
root.append(control);
Tokviz.take.fill(control);
}
host.append(root);
const pane = { root, plot, said, text, how, turn: 0 };
panes.set(host, pane);
pane.resized = new ResizeObserver(() => requestAnimationFrame(() => panes.get(host) === pane && fit(pane, host)));
for (const each of [root, how]) pane.resized.observe(each);
return pane;
}
function fit({ root: { lastElementChild: last } }, host) {
host.style.minHeight = "";
const needed = last.offsetTop + last.offsetHeight;
if (needed > host.clientHeight) host.style.minHeight = `${needed}px`;
}
async function show(host, key, { source, context, isMeasured, depth }) {
const pane = panes.get(host) ?? makePane(host);
const turn = ++pane.turn;
host.toggleAttribute("data-related-shown", true);
if (!isMeasured) return void fail(pane, "Relations and orders weren’t measured here.");
try {
const { model, label, items } = await load(source, context);
if (turn !== pane.turn) return undefined;
const item = items.find((each) => each.key === key);
const title = `${item.label}, ${Tokviz.depthName(depth)}, ${label}`;
Object.assign(pane.root.dataset, { model, file: [source.slug, context, Tokviz.depthKey(depth), key].join("-").replace(/[^\w.-]+/g, "_") });
pane.how.textContent = item.caption;
pane.text.textContent = item.said?.[depth] ?? "";
pane.said.dataset.longest = (item.said ?? []).reduce((one, other) => (other.length > one.length ? other : one), "");
fit(pane, host);
draw(pane.plot, item, depth, title, `${model}: ${title}`);
} catch (error) {
if (turn === pane.turn) fail(pane, error.message);
}
return undefined;
}
function fail({ plot, said, text, how }, message) {
clear(plot, message);
text.textContent = how.textContent = said.dataset.longest = "";
}
function hide(host) {
const pane = panes.get(host);
if (!pane) return;
panes.delete(host);
pane.turn += 1;
pane.resized.disconnect();
clear(pane.plot);
pane.root.remove();
host.removeAttribute("data-related-shown");
host.style.minHeight = "";
}
function startSection(section, viewer) {
const plots = [...section.querySelectorAll("[data-plot]")];
let depth = Number(viewer.querySelector(".panel[data-current] input[type=range]").value);
let isSeen = false;
let latest = 0;
async function update() {
const { context, hasRelations } = viewer.querySelector(".panel[data-current]").dataset;
const turn = ++latest;
if (hasRelations === undefined) {
for (const plot of plots) plot.closest("figure").toggleAttribute("data-unmeasured", true);
return;
}
try {
const { items, label } = await load(viewer.dataset, context);
if (turn !== latest) return;
const where = `${Tokviz.depthName(depth)}, ${label}`;
for (const plot of plots) {
const item = items[Number(plot.dataset.plot)];
plot.closest("figure").toggleAttribute("data-unmeasured", item.problem !== undefined);
draw(plot, item, depth, where, `${item.label}, ${where}`);
}
} catch (error) {
if (turn !== latest) return;
for (const plot of plots) {
plot.closest("figure").removeAttribute("data-unmeasured");
clear(plot, error.message);
}
}
}
viewer.addEventListener("shown", ({ detail }) => {
depth = detail.depth;
if (isSeen) update();
});
new IntersectionObserver((entries) => {
isSeen = entries.at(-1).isIntersecting;
if (isSeen) update();
}, { rootMargin: "200px" }).observe(section);
}
for (const section of document.querySelectorAll("[data-related]")) startSection(section, document.querySelector("[data-viewer]"));
return { show, hide };
})();
