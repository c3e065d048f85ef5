"use strict";
Tokviz.save = (() => {
const { make, picture, take } = Tokviz;
const NOTHING = "There is no plot here.";
const SIZE = 12;
const MARGIN = 8;
function textOf(text, x, y, fill, { size = SIZE, weight = 400 } = {}) {
return { text, x, y, size, weight, anchor: "start", width: picture.widthOf(text, size, weight), fill };
}
const TITLE_SIZE = 14;
const FAINT = 0.16;
const KEY_LINE = 20;
const SWATCH = 10;
const TRAILS = {
own: "trails: from layer to layer, each in its own axes",
aligned: "trails: from layer to layer, each turned to fit the shown one",
};
function markOf(memberships, hollow, diameter, x, y, colors, opacity = 1) {
return Explore.paintedPaths(memberships, hollow, diameter, colors).map(([d, scale, fill, stroke, line]) => ({
d, matrix: [scale, 0, 0, scale, x, y], fill, stroke, line, opacity,
}));
}
const fitted = (text, space, weight) => Tokviz.fitted(text, space, (each) => picture.widthOf(each, TITLE_SIZE, weight));
function titleOf({ capture: { model, context, shown }, depth }, width, { ink }) {
const end = ` · ${shown.label} PCA · ${Tokviz.depthName(depth)}`;
const space = width - 2 * MARGIN;
const rest = fitted(context.label, space - picture.widthOf(`· ${end}`, TITLE_SIZE, 400), 400) + end;
const name = textOf(fitted(model.name, space, 600), MARGIN, 20, ink, { size: TITLE_SIZE, weight: 600 });
const after = textOf(`· ${rest}`, MARGIN + name.width + 4, 20, ink, { size: TITLE_SIZE });
if (after.x + after.width <= width - MARGIN) return [name, after];
return [name, textOf(rest, MARGIN, 38, ink, { size: TITLE_SIZE })];
}
function keyOf({ index, view, depth, plot }, hidden, width, top, colors) {
const shapes = [];
let [x, y] = [MARGIN, top];
const names = index.categories.map((label, category) => [label, category]).filter(([, category]) => !hidden.has(category));
for (const [label, category] of names) {
const name = textOf(label, 0, 0, colors.ink);
const wide = SWATCH + 6 + name.width;
if (x > MARGIN && x + wide > width - MARGIN) [x, y] = [MARGIN, y + KEY_LINE];
shapes.push(...markOf([category], false, SWATCH, x + SWATCH / 2, y + KEY_LINE / 2, colors));
shapes.push({ ...name, x: x + SWATCH + 6, y: y + KEY_LINE / 2 + 4 });
x += wide + 18;
}
const notes = [
view.hollow.some((each, row) => each && plot.visible[row]) ? "hollow: several tokens, or read at a different position" : "",
[...plot.framed.beyond(depth)].some((row) => plot.visible[row]) ? "arrow: lies beyond the axes" : "",
depth && plot.pins.some((row) => plot.visible[row]) ? TRAILS[plot.trails.kind] : "",
].filter(Boolean);
for (const note of notes) {
y += KEY_LINE;
shapes.push(textOf(note, MARGIN, y + KEY_LINE / 2 + 4, colors.quiet));
}
return { shapes, bottom: y + KEY_LINE + MARGIN };
}
function marksOf({ plot, view }, left, top, colors) {
const { x, y, visible, chosen, diameter, width, height } = plot;
const isSeen = (row) => visible[row] && x[row] > -diameter && y[row] > -diameter && x[row] < width + diameter && y[row] < height + diameter;
return [...visible.keys()].filter(isSeen).flatMap((row) =>
markOf(view.vocabulary.memberships[row], view.hollow[row], diameter, left + x[row], top + y[row], colors,
chosen && !chosen.includes(row) ? FAINT : 1));
}
function sheetOfExplorer(panel, hidden) {
const { plot, name, depth } = panel;
const width = plot.root.clientWidth;
const colors = Explore.colorsOf(plot.root);
const title = titleOf(panel, width, colors);
const head = title[1].y + 4;
const box = plot.root.getBoundingClientRect();
const origin = [box.left, box.top - head];
const [left, top] = [plot.inner.offsetLeft, plot.inner.offsetTop + head];
const clip = { x: left, y: top, width: plot.width, height: plot.height };
const key = keyOf(panel, hidden, width, head + plot.root.clientHeight + 2, colors);
const text = `${name}, ${Tokviz.depthName(depth)}`;
return {
width,
height: key.bottom,
ground: colors.ground,
title: text,
description: `${text}: ${plot.visible.filter(Boolean).length} words.`,
groups: [
{ name: "title", shapes: title },
{ name: "axes", shapes: picture.shapesOf(plot.axes, origin) },
{ name: "marks", shapes: marksOf(panel, left, top, colors), clip },
...[...plot.over.children].filter((layer) => !layer.matches(".full")).map((layer) => ({ name: layer.getAttribute("class").split(" ")[0], shapes: picture.shapesOf(layer, origin), clip })),
{ name: "key", shapes: key.shapes },
],
};
}
async function explore(control, form) {
const asked = {};
Tokviz.tell(control, "saving", asked);
const { panel, hidden } = asked;
if (!panel?.view?.extents[panel.depth]) return NOTHING;
await panel.plot.still();
await picture.save(sheetOfExplorer(panel, hidden), Tokviz.fileName(panel.capture, panel.depth), form);
return "Saved.";
}
const FOOT = 24;
const FOOT_SIZE = 11;
function lineOf(element, text, { left: from, top, bottom }, [left, up]) {
const style = getComputedStyle(element);
const [size, weight] = [Number.parseFloat(style.fontSize), style.fontWeight];
const [width] = Tokviz.plateText.measure([text], size, Number(weight) >= 600);
return {
text, x: from - left, y: (top + bottom) / 2 - up + 0.34 * size, size, weight, anchor: "start", width,
fill: style.color, underlined: style.textDecorationLine.includes("underline"),
};
}
function buttonOf(button, origin) {
const name = button.querySelector("span");
const box = name.getBoundingClientRect();
const { fontSize, fontWeight } = getComputedStyle(name);
const text = Tokviz.plateText.fitted(name.textContent, box.width + 0.5, Number.parseFloat(fontSize), Number(fontWeight) >= 600);
return [...picture.shapesOf(button.querySelector("svg"), origin), lineOf(name, text, box, origin)];
}
function wordsOf(line, index) {
const text = line.firstChild;
return [...text.data.matchAll(/\S+/g)].map(({ 0: word, index: at }) => {
const range = new Range();
range.setStart(text, at);
range.setEnd(text, at + word.length);
return { word, box: range.getBoundingClientRect(), before: index && !at ? " · " : " " };
});
}
function notesOf(note, origin) {
const lines = [];
for (const { word, box, before } of [...note.children].flatMap(wordsOf)) {
const line = lines.at(-1);
if (line && Math.abs(line.box.top - box.top) < 2) line.text += before + word;
else lines.push({ text: word, box });
}
return lines.map(({ text, box }) => lineOf(note, text, box, origin));
}
function sheetOfPlate(drawing, key) {
const box = drawing.getBoundingClientRect();
const origin = [box.left, box.top];
const [width, height] = [box.width, box.height + FOOT];
const { projection } = drawing.dataset;
const note = key.querySelector(".plate-note");
const foot = `${projection[0].toUpperCase()}${projection.slice(1)} PCA`;
return {
width,
height,
ground: getComputedStyle(drawing.parentElement).backgroundColor,
title: [...drawing.querySelectorAll(".plate-head text")].map((each) => each.textContent).join(" "),
description: drawing.getAttribute("aria-label"),
groups: [
...[...drawing.children].map((group) => ({
name: group.getAttribute("class").replace("plate-", ""), shapes: picture.shapesOf(group, origin),
})),
{ name: "key", shapes: [...key.querySelectorAll(".plate-categories button")].flatMap((button) => buttonOf(button, origin)) },
{ name: "notes", shapes: notesOf(note, origin) },
{ name: "foot", shapes: [textOf(foot, MARGIN, height - MARGIN, getComputedStyle(note).color, { size: FOOT_SIZE })] },
],
};
}
async function plate(control, form) {
const plot = take.plotOf(control);
const drawing = plot.querySelector(".plate-svg[role=img]");
if (!drawing) {
if (!take.plateOf(control).getClientRects().length) return NOTHING;
if (!await picture.saveImage(take.imageOf(control))) return "Opened; save it from there.";
return form === "png" ? "Saved." : "Saved as PNG.";
}
for (const each of drawing.getAnimations({ subtree: true })) each.finish();
await picture.save(sheetOfPlate(drawing, plot.querySelector(".plate-key")), drawing.dataset.name, form);
return "Saved.";
}
const HEAD = 24;
const LINE = 18;
function linesOf(text, width) {
const lines = [];
for (const word of text.split(" ").filter(Boolean)) {
const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
if (lines.length && picture.widthOf(longer, SIZE) <= width) lines[lines.length - 1] = longer;
else lines.push(word);
}
return lines;
}
function sheetOfRelated(pane, drawing) {
const box = drawing.getBoundingClientRect();
const { color } = getComputedStyle(pane);
const texts = [".related-said", ".related-how"].map((name) => pane.querySelector(name).textContent);
const below = texts.flatMap((text) => linesOf(text, box.width - 2 * MARGIN));
return {
width: box.width,
height: HEAD + box.height + LINE * below.length + MARGIN,
ground: getComputedStyle(drawing.parentElement).backgroundColor,
title: drawing.getAttribute("aria-label"),
description: texts.join(" "),
groups: [
{ name: "model", shapes: [textOf(pane.dataset.model, MARGIN, HEAD - MARGIN, color, { weight: 600 })] },
{ name: "plot", shapes: picture.shapesOf(drawing, [box.left, box.top - HEAD]) },
{ name: "notes", shapes: below.map((text, index) => textOf(text, MARGIN, HEAD + box.height + LINE * (index + 0.75), color)) },
],
};
}
async function related(control, form) {
const pane = control.closest(".related-pane");
const drawing = pane.querySelector("svg");
if (!drawing) return NOTHING;
await picture.save(sheetOfRelated(pane, drawing), pane.dataset.file, form);
return "Saved.";
}
let dialog = null;
function makeDialog() {
const heading = make("h2", { id: "link-to-copy" }, "Link to this plot");
const field = make("input", { readonly: "", "aria-labelledby": "link-to-copy" });
const close = make("button", { type: "button" }, "Close");
const made = make("dialog", { class: "shortcuts", "aria-labelledby": "link-to-copy" },
heading, make("p", {}, field), make("p", {}, COPY_BY_HAND), close);
close.addEventListener("click", () => made.close());
document.body.append(made);
return made;
}
function showAddress(address) {
dialog ??= makeDialog();
const field = dialog.querySelector("input");
field.value = address;
dialog.showModal();
field.select();
}
return { explore, plate, related, showAddress };
})();
