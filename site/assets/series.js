"use strict";
(() => {
const root = document.querySelector("[data-series]");
if (!root) return;
const { clamp, depthName, depthKey, parseDepth, tell } = Tokviz;
const data = JSON.parse(root.querySelector("[data-series-data]").textContent);
const content = JSON.parse(root.querySelector("[data-plates]")?.textContent ?? "null");
const ranges = Object.fromEntries([...root.querySelectorAll("[data-series-range]")].map((each) => [each.dataset.seriesRange, each]));
const outputs = { step: root.querySelector("[data-series-step]"), depth: root.querySelector("[data-series-depth]") };
const [plate, problem, caption, play] = [".plate", "[data-series-problem]", "[data-series-caption]", "[data-series-play]"].map(
(each) => root.querySelector(each));
const maps = [...document.querySelectorAll(".series-map")];
const byContext = [...document.querySelectorAll(".series-of")];
const measures = document.querySelector("select[data-series-choice]");
const scales = document.querySelectorAll('[data-series-choice="scale"] input');
const noMap = document.querySelector("[data-series-no-map]");
const state = { step: Number(ranges.step.value), depth: Number(ranges.depth.value), context: Object.keys(data.extents)[0], axes: "reference", scale: "each" };
const initial = { ...state };
const isFirstMap = () => !measures || measures.selectedIndex === 0;
function fragment() {
const { key } = data.checkpoints[state.step];
const view = state.axes === "own" ? ["own"] : state.scale === "common" ? ["common"] : [];
const parts = [state.context, depthKey(state.depth), key, ...view];
return `#${parts.map(encodeURIComponent).join("/")}${isFirstMap() ? "" : `&map=${measures.value}`}${Tokviz.plotScale.address}`;
}
const address = new Tokviz.AddressWriter(fragment);
const player = Tokviz.player(play, { at: () => state.step, last: () => data.checkpoints.length - 1, go: (step) => go({ step }) });
function show() {
const checkpoint = data.checkpoints[state.step];
ranges.step.value = state.step;
ranges.depth.value = state.depth;
outputs.step.textContent = checkpoint.label;
outputs.depth.textContent = depthName(state.depth);
ranges.step.setAttribute("aria-valuetext", checkpoint.label);
ranges.depth.setAttribute("aria-valuetext", depthName(state.depth));
showPlot(checkpoint);
showMaps();
}
function showPlot(checkpoint) {
const capture = content && captureOf(checkpoint);
const reason = capture ? checkpoint.problems[`${state.context} ${state.axes}`]?.[state.depth] : "This checkpoint has no plot in this context.";
plate.parentElement.toggleAttribute("data-without-plot", Boolean(reason));
problem.hidden = !reason;
problem.textContent = reason ?? "";
if (reason) return;
const image = checkpoint.images?.[state.context]?.[state.depth];
plate.href = image ?? "#";
plate.querySelector("img").alt = `${checkpoint.label}, ${depthName(state.depth)}, ${capture.context.label}`;
caption.textContent = captionOf(checkpoint);
tell(plate, "slot", { capture, depth: state.depth, isStep: true });
}
function captureOf({ slug }) {
const model = content.models.find((each) => each.slug === slug);
const has = model.contexts.some(({ name }) => name === state.context);
if (!has) return null;
const capture = Tokviz.findCapture([model], { model: slug, context: state.context, projection: state.axes });
const isCommon = state.axes !== "own" && state.scale === "common";
const label = `${data.labels[state.axes]}${isCommon ? ", one scale for all checkpoints" : ""}`;
return { ...capture, shown: { ...capture.shown, label }, ...(isCommon ? { extents: data.extents[state.context] } : {}) };
}
function captionOf(checkpoint) {
if (state.axes !== "own") return `Axes: those of ${data.reference}${state.scale === "common" ? ", one scale for all checkpoints" : ""}.`;
const residual = checkpoint.residuals[state.context]?.[state.depth];
const left = residual === null || residual === undefined ? "" : ` After shift, scale, turn and reflection, ${residual}\u00a0% of the variance of ${data.reference}’s plot is not matched.`;
return `Axes: its own, turned toward those of ${data.reference}.${left}`;
}
function showMaps() {
const measure = measures?.value ?? maps[0]?.dataset.measure;
const isSeen = ({ dataset }) => dataset.context === state.context && (dataset.measure ?? measure) === measure;
for (const each of byContext) each.toggleAttribute("data-current", isSeen(each));
for (const input of scales) {
input.disabled = state.axes === "own";
input.checked = input.value === (state.axes === "own" ? "each" : state.scale);
}
const map = maps.find(isSeen);
if (noMap) noMap.hidden = Boolean(map);
if (map) fill(map);
}
function fill(map) {
const [body] = map.querySelector("table").tBodies;
if (body.rows.length) return mark(body);
const { lateMaps } = document.getElementById("maps").dataset;
return Tokviz.load(data.maps, lateMaps).then((all) => {
const { rows } = all.find(({ measure, context }) => measure === map.dataset.measure && context === map.dataset.context);
if (!body.rows.length) body.append(...rows.map(rowOf));
showMaps();
}, () => {});
}
function rowOf([depth, ...parts]) {
const cells = data.checkpoints.map((_, step) => Tokviz.make("td", { class: parts[2 * step + 1] }, parts[2 * step]));
return Tokviz.make("tr", {}, Tokviz.make("th", { scope: "row" }, depth), ...cells);
}
function mark(body) {
for (const cell of document.querySelectorAll(".series-map .at")) cell.classList.remove("at");
const cell = body.rows[state.depth]?.cells[state.step + 1];
if (!cell) return;
cell.classList.add("at");
const box = body.closest(".series-box");
box.scrollTo(cell.offsetLeft - box.clientWidth / 2, cell.offsetTop - box.clientHeight / 2);
}
function go(changes) {
Object.assign(state, changes);
state.step = clamp(state.step, 0, data.checkpoints.length - 1);
state.depth = clamp(state.depth, 0, Number(ranges.depth.max));
show();
address.request();
}
function open() {
address.cancel();
const [context, depth, step, view] = location.hash.slice(1).split("&")[0].split("/").map(Tokviz.decode);
const known = parseDepth(depth);
if (!location.hash) Object.assign(state, initial);
if (known === null || !(context in data.extents)) return location.hash ? show() : set();
const found = data.checkpoints.findIndex(({ key }) => key === step);
if (found < 0 || known > Number(ranges.depth.max)) address.request();
Object.assign(state, { context, depth: clamp(known, 0, Number(ranges.depth.max)) });
Object.assign(state, { axes: view === "own" ? "own" : "reference", scale: view === "common" ? "common" : "each" });
if (found >= 0) state.step = found;
const [, map] = location.hash.match(/&map=([\w-]+)/) ?? [];
if (measures) measures.value = [...measures.options].some(({ value }) => value === map) ? map : measures.options[0].value;
return set();
}
function set() {
for (const [name, value] of [["context", state.context], ["axes", state.axes]]) {
for (const input of document.querySelectorAll(`[data-series-choice="${name}"] input`)) input.checked = input.value === value;
}
show();
}
for (const [name, range] of Object.entries(ranges)) {
range.addEventListener("input", () => {
player.stop();
go({ [name]: Number(range.value) });
});
}
document.addEventListener("change", (event) => {
const name = event.target.closest("[data-series-choice]")?.dataset.seriesChoice;
if (name) go(name === "measure" ? {} : { [name]: event.target.value });
});
for (const map of maps) {
map.addEventListener("click", ({ target }) => {
const cell = target.closest("tbody td");
if (!cell) return;
player.stop();
go({ step: cell.cellIndex - 1, depth: cell.parentElement.sectionRowIndex });
root.scrollIntoView({ block: "nearest" });
});
}
root.addEventListener("address", ({ detail }) => {
detail.fragment = fragment();
});
Tokviz.listenToKeys(root, () => state.depth, (depth) => go({ depth }));
addEventListener("hashchange", () => {
player.stop();
open();
});
document.addEventListener("scale", () => address.request());
open();
})();
