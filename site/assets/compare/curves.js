"use strict";
(() => {
const { svg, make, load } = Tokviz;
function spread(ends, { top, bottom, gap }) {
const placed = ends.map((end, index) => ({ end, index })).sort((one, other) => one.end - other.end);
placed.forEach((each, rank) => {
each.y = Math.max(each.end, rank ? placed[rank - 1].y + gap : top);
});
let lowest = bottom;
for (const each of [...placed].reverse()) {
each.y = Math.min(each.y, lowest);
lowest = each.y - gap;
}
return placed.sort((one, other) => one.index - other.index).map(({ y }) => y);
}
function draw(chart, subject, curves, places) {
for (const old of chart.querySelectorAll(".interval, .templates, .curve, .leader, .end")) old.remove();
const named = curves.filter(({ end }) => end !== null);
const heights = spread(named.map(({ end }) => end), places);
const x = places.right + places.name_at;
const bands = curves.filter(({ interval }) => interval)
.map(({ interval, style }) => svg("path", { class: `interval style-${style}`, d: interval }));
const ranges = curves.filter(({ templates }) => templates)
.map(({ templates, style }) => svg("path", { class: `templates style-${style}`, d: templates }));
const lines = curves.map(({ line, style, dash }) => svg("path", { class: `curve style-${style} dash-${dash}`, d: line }));
const names = named.flatMap(({ end, style, name }, index) => [
svg("path", { class: `leader style-${style}`, d: `M${places.right + 2} ${end}L${x - 3} ${heights[index]}` }),
svg("text", { class: `end style-${style}`, x, y: heights[index], dy: 4 }, name),
]);
const dotted = chart.querySelector(".chance");
if (dotted) dotted.before(...bands, ...ranges);
else chart.append(...bands, ...ranges);
chart.append(...lines, ...names);
chart.setAttribute("aria-label", [`${subject}.`, ...curves.map(({ said }) => said)].join(" "));
}
function startChoice(root) {
const { most, places, subjects } = JSON.parse(root.querySelector("script").textContent);
const boxes = [...root.querySelectorAll("input")];
const charts = [...document.querySelectorAll(".measure .chart > svg")];
const keys = root.previousElementSibling;
const problem = root.querySelector(".problem");
let latest = 0;
const content = async (slug) => (await load(`${slug} compared`, `models/${encodeURIComponent(slug)}.js`)).curves;
async function show() {
latest += 1;
const request = latest;
const chosen = boxes.filter(({ checked }) => checked);
for (const box of boxes) box.disabled = !box.checked && chosen.length >= most;
problem.hidden = true;
try {
const models = await Promise.all(chosen.map(({ value }) => content(value)));
if (request !== latest) return;
charts.forEach((chart, index) => {
const curves = models.map(({ charts: own, ...model }) => own[index] && { ...model, ...own[index] }).filter(Boolean);
draw(chart, subjects[index], curves, places);
});
keys.replaceChildren(...chosen.map((box) =>
make("li", {}, ...[...box.parentElement.childNodes].slice(1).map((node) => node.cloneNode(true)))));
} catch (error) {
problem.textContent = error.message;
problem.hidden = false;
}
}
root.addEventListener("change", show);
}
for (const root of document.querySelectorAll("[data-curve-choice]")) startChoice(root);
})();
