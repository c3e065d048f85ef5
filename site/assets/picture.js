"use strict";
Tokviz.picture = (() => {
const { svg, make } = Tokviz;
const FAMILY = "'Source Sans 3', 'Source Sans Pro', Arial, 'Liberation Sans', Helvetica, sans-serif";
const LEAST_SCALE = 2;
const ANCHORS = { start: "left", middle: "center", end: "right" };
const context = document.createElement("canvas").getContext("2d");
const round = (value) => Math.round(100 * value) / 100;
const family = () => getComputedStyle(document.documentElement).getPropertyValue("--sans");
const fontOf = ({ size, weight }) => `${weight} ${size}px ${family()}`;
function widthOf(text, size, weight = 400) {
context.font = fontOf({ size, weight });
return context.measureText(text).width;
}
const numberOf = (element, name) => Number(element.getAttribute(name) ?? 0);
const PATHS = {
path: (element) => element.getAttribute("d"),
line: (element) => {
const [x1, y1, x2, y2] = ["x1", "y1", "x2", "y2"].map((name) => numberOf(element, name));
return `M${x1} ${y1}L${x2} ${y2}`;
},
circle: (element) => {
const [x, y, r] = ["cx", "cy", "r"].map((name) => numberOf(element, name));
return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
},
rect: (element) => {
const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => numberOf(element, name));
return `M${x} ${y}h${width}v${height}h${-width}Z`;
},
};
const colorOf = (color) => (color === "none" || /^rgba\(.*, 0\)$/.test(color) ? "none" : color);
function opacityOf(element, root) {
const own = Number(getComputedStyle(element).opacity);
return element === root ? own : own * opacityOf(element.parentElement, root);
}
function matrixOf(element, [left, top]) {
const { a, b, c, d, e, f } = element.getScreenCTM();
return [a, b, c, d, e - left, f - top];
}
function shapeOf(element, root, origin) {
const style = getComputedStyle(element);
const matrix = matrixOf(element, origin);
const [scale] = matrix;
const line = Number.parseFloat(style.strokeWidth) * (style.vectorEffect === "non-scaling-stroke" ? 1 : scale);
const look = { fill: colorOf(style.fill), stroke: colorOf(style.stroke), line, opacity: opacityOf(element, root) };
if (element.tagName !== "text") {
return { ...look, d: PATHS[element.tagName](element), matrix, cap: style.strokeLinecap, join: style.strokeLinejoin };
}
return {
...look,
text: element.textContent,
x: matrix[4] + scale * numberOf(element, "x"),
y: matrix[5] + scale * numberOf(element, "y"),
size: scale * Number.parseFloat(style.fontSize),
weight: style.fontWeight,
anchor: style.textAnchor,
width: scale * element.getComputedTextLength(),
};
}
function shapesOf(root, origin) {
const drawn = [...root.querySelectorAll("path, line, circle, rect, text")];
return drawn.filter((each) => each.getClientRects().length).map((each) => shapeOf(each, root, origin));
}
const scaleOf = ([a, b]) => Math.hypot(a, b) || 1;
function pathOf({ d, matrix, fill, stroke, line, opacity, cap, join }) {
const [a, b, c, e, x, y] = matrix;
const moved = `translate(${round(x)} ${round(y)})`;
const isPlain = a === e && b === 0 && c === 0;
const grown = isPlain ? `scale(${Number(a.toFixed(4))})` : `matrix(${[a, b, c, e, 0, 0].join(" ")})`;
return svg("path", {
d,
...(isPlain && a === 1 && x === 0 && y === 0 ? {} : { transform: isPlain && a === 1 ? moved : `${moved} ${grown}` }),
fill,
...(stroke === "none" ? {} : { stroke, "stroke-width": Number((line / scaleOf(matrix)).toFixed(4)) }),
...(cap === "round" ? { "stroke-linecap": cap } : {}),
...(join === "round" ? { "stroke-linejoin": join } : {}),
...(opacity === 1 ? {} : { opacity: round(opacity) }),
});
}
function textsOf({ text, x, y, size, weight, anchor, width, fill, stroke = "none", line, opacity = 1, underlined }) {
const common = {
x: round(x), y: round(y), "font-size": round(size),
...(Number(weight) === 400 ? {} : { "font-weight": weight }),
...(anchor === "start" ? {} : { "text-anchor": anchor }),
...(underlined ? { "text-decoration": "underline" } : {}),
...(opacity === 1 ? {} : { opacity: round(opacity) }),
textLength: round(width), lengthAdjust: "spacingAndGlyphs",
};
const rim = stroke === "none" ? [] : [svg("text", {
...common, fill: "none", stroke, "stroke-width": line, "stroke-linejoin": "round", "aria-hidden": "true",
}, text)];
return [...rim, svg("text", { ...common, fill }, text)];
}
function groupOf({ name, shapes, clip }, index) {
const group = svg("g", { id: name });
group.append(...shapes.flatMap((each) => (each.text === undefined ? [pathOf(each)] : textsOf(each))));
if (!clip) return [group];
const path = svg("clipPath", { id: `clip-${index}` });
path.append(svg("rect", clip));
group.setAttribute("clip-path", `url(#clip-${index})`);
return [path, group];
}
function svgOf({ width, height, ground, title, description, groups }) {
const root = svg("svg", { width: round(width), height: round(height), viewBox: `0 0 ${round(width)} ${round(height)}`, "font-family": FAMILY });
root.append(
svg("title", {}, title),
svg("desc", {}, description),
svg("rect", { width: "100%", height: "100%", fill: ground }),
...groups.filter(({ shapes }) => shapes.length).flatMap(groupOf),
);
return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}\n`], { type: "image/svg+xml" });
}
function paintPath(paper, { d, matrix, fill, stroke, line, cap, join }) {
const path = new Path2D();
path.addPath(new Path2D(d), new DOMMatrix(matrix));
Object.assign(paper, { fillStyle: fill, strokeStyle: stroke, lineWidth: line, lineCap: cap ?? "butt", lineJoin: join ?? "miter" });
if (fill !== "none") paper.fill(path);
if (stroke !== "none") paper.stroke(path);
}
function paintText(paper, { text, x, y, size, weight, anchor, width, fill, stroke = "none", line, underlined }) {
Object.assign(paper, { font: fontOf({ size, weight }), textAlign: ANCHORS[anchor], fillStyle: fill, strokeStyle: stroke, lineWidth: line, lineJoin: "round" });
if (stroke !== "none") paper.strokeText(text, x, y, width);
paper.fillText(text, x, y, width);
if (underlined) paper.fillRect(x, y + 0.2 * size, width, 1);
}
function pngOf({ width, height, ground, groups }) {
const scale = Math.max(LEAST_SCALE, window.devicePixelRatio || 1);
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
const paper = canvas.getContext("2d");
paper.scale(scale, scale);
paper.fillStyle = ground;
paper.fillRect(0, 0, width, height);
for (const { shapes, clip } of groups) {
paper.save();
if (clip) {
const area = new Path2D();
area.rect(clip.x, clip.y, clip.width, clip.height);
paper.clip(area);
}
for (const each of shapes) {
paper.globalAlpha = each.opacity ?? 1;
if (each.text === undefined) paintPath(paper, each);
else paintText(paper, each);
}
paper.restore();
}
return pngBlob(canvas);
}
const pngBlob = (canvas) => new Promise((resolve, reject) => {
canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("The plot is too large."))), "image/png");
});
let latest = null;
async function save(sheet, name, form) {
downloadBlob(form === "svg" ? svgOf(sheet) : await pngOf(sheet), `${name}.${form}`);
}
async function saveImage(address) {
const name = Tokviz.decode(new URL(address, location.href).pathname).split("/").at(-1).replace(/\.[^.]+$/, "");
const image = new Image();
image.src = address;
await image.decode();
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
canvas.getContext("2d").drawImage(image, 0, 0);
try {
downloadBlob(await pngBlob(canvas), `${name}.png`);
return true;
} catch {
open(address, "_blank", "noopener");
return false;
}
}
function downloadBlob(blob, name) {
if (latest) URL.revokeObjectURL(latest);
latest = URL.createObjectURL(blob);
make("a", { href: latest, download: name }).click();
}
return { widthOf, shapesOf, save, saveImage };
})();
