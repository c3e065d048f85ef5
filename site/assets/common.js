"use strict";
const Tokviz = (() => {
const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
function svg(name, attributes = {}, text = null) {
const made = document.createElementNS("http://www.w3.org/2000/svg", name);
for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
if (text !== null) made.textContent = text;
return made;
}
function make(tag, attributes = {}, ...children) {
const made = document.createElement(tag);
for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
made.append(...children);
return made;
}
const tell = (element, type, detail) =>
element.dispatchEvent(new CustomEvent(type, { bubbles: true, cancelable: true, detail }));
const nHues = Number(document.documentElement.dataset.hues ?? 9);
const hueOf = (category) => `hue-${category % nHues}`;
const depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);
const depthKey = (depth) => depthName(depth).replace(" ", "-");
function parseDepth(text) {
const layer = /^layer-(\d+)$/.exec(text ?? "");
if (layer) return Number(layer[1]) + 1;
return text === "embedding" ? 0 : null;
}
function findCapture(models, names) {
const model = models.find(({ slug }) => slug === names.model) ?? models[0];
const context = model.contexts.find(({ name }) => name === names.context) ?? model.contexts[0];
const shown = context.projections.find(({ name }) => name === names.projection) ?? context.projections[0];
return { model, context, shown, key: `${model.slug}/${context.name}/${shown.name}` };
}
const fileName = ({ model, context, shown }, depth) => [model.slug, context.name, depthKey(depth), shown.name].join("-");
const MOVES = { ArrowLeft: (depth) => depth - 1, ArrowRight: (depth) => depth + 1, Home: () => 0, End: () => Infinity };
const OWN_KEYS = "input:not([type=radio], [type=checkbox]), textarea, .scroll, .plates, dialog";
const hasModifier = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;
function listenToKeys(root, currentDepth, go) {
document.addEventListener("keydown", (event) => {
const move = MOVES[event.key];
if (!move || event.target.closest(OWN_KEYS) || hasModifier(event) || event.shiftKey) return;
if (!event.key.startsWith("Arrow") && (!root.contains(event.target) || event.target.matches("select"))) return;
event.preventDefault();
go(move(currentDepth()));
});
}
function markSteps(buttons, depth, last) {
for (const button of buttons) {
const target = depth + Number(button.dataset.step);
button.setAttribute("aria-disabled", String(target < 0 || target > last));
}
}
const ADDRESS_DELAY = 400;
class AddressWriter {
constructor(fragment) {
this.fragment = fragment;
}
request() {
clearTimeout(this.timer);
const before = location.hash;
this.timer = setTimeout(() => {
if (location.hash !== before) return;
const fragment = this.fragment();
if (fragment !== null && location.protocol !== "about:") history.replaceState(null, "", fragment);
}, ADDRESS_DELAY);
}
cancel() {
clearTimeout(this.timer);
}
}
function parseAddress() {
return new Map(location.hash.slice(1).split("&").map((part) => {
const [key, ...rest] = part.split("=");
return [key, rest.join("=")];
}));
}
function decode(text) {
try {
return decodeURIComponent(text);
} catch {
return text;
}
}
const contents = new Map();
const requests = new Map();
window.tokvizData = (key, content) => contents.set(key, content);
function load(key, source) {
if (contents.has(key)) return Promise.resolve(contents.get(key));
if (!requests.has(key)) {
requests.set(key, new Promise((resolve, reject) => {
const script = document.createElement("script");
const fail = () => {
requests.delete(key);
script.remove();
reject(new Error(`${source} could not be loaded. Is the site’s folder complete?`));
};
script.src = source;
script.addEventListener("load", () => (contents.has(key) ? resolve(contents.get(key)) : fail()));
script.addEventListener("error", fail);
document.head.append(script);
}));
}
return requests.get(key);
}
function decodeIntegers(text, size) {
const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
return size === 2 ? new Uint16Array(bytes.buffer) : bytes;
}
const added = new Map();
const loadScripts = (sources) => Promise.all(sources.map((source) => {
const script = make("script", { src: source });
script.async = false;
if (!added.has(script.src)) {
added.set(script.src, new Promise((resolve, reject) => {
script.addEventListener("load", resolve);
script.addEventListener("error", (event) => {
added.delete(script.src);
reject(event);
});
document.head.append(script);
}));
}
return added.get(script.src);
}));
const variables = getComputedStyle(document.documentElement);
const variable = (name) => Number.parseFloat(variables.getPropertyValue(name));
const geometry = {
axisStart: variable("--axis-start"),
axisLength: variable("--axis-length"),
labelsFrom: variable("--labels-from"),
labelsTo: variable("--labels-to"),
looseFrom: variable("--loose-from"),
looseTo: variable("--loose-to"),
mostLabels: variable("--most-labels"),
};
const LABEL_STEPS = [1, 2, 5, 10, 20, 50, 100];
const WIDEST_LABEL_STEP = 1000;
const percent = (number) => `${number.toFixed(3)}%`;
const shareOf = (depth, last) => depth / (last || 1);
const place = (depth, last) => geometry.axisStart + geometry.axisLength * shareOf(depth, last);
function depthAt(range, clientX) {
const { left, width } = range.getBoundingClientRect();
const thumb = Number.parseFloat(getComputedStyle(range).getPropertyValue("--thumb"));
const last = Number(range.max);
return clamp(Math.round((last * (clientX - left - thumb / 2)) / (width - thumb)), 0, last);
}
function listenToSlider(range, go) {
let moved = false;
const output = range.parentElement.querySelector("output");
range.addEventListener("focus", () => output?.setAttribute("aria-live", "off"));
range.addEventListener("blur", () => output?.setAttribute("aria-live", "polite"));
range.addEventListener("pointerdown", () => {
moved = false;
});
range.addEventListener("input", () => {
moved = true;
go(Number(range.value));
});
range.addEventListener("click", ({ clientX }) => {
const depth = depthAt(range, clientX);
if (!moved && depth !== Number(range.value)) go(depth);
});
}
function onNewWidth(element, act) {
let width = null;
new ResizeObserver(() => {
if (element.clientWidth === width) return;
width = element.clientWidth;
act();
}).observe(element);
}
function hasNumber(depth, last) {
const step = LABEL_STEPS.find((size) => last / size <= geometry.mostLabels) ?? WIDEST_LABEL_STEP;
const x = place(depth, last);
return (depth - 1) % step === 0 && x >= geometry.labelsFrom && x <= geometry.labelsTo;
}
const isTight = (x) => x < geometry.looseFrom || x > geometry.looseTo;
function depthTicks(last) {
return Array.from({ length: last + 1 }, (_, depth) => {
if (depth === 0 || depth === last) return { depth, label: depthName(depth) };
return { depth, label: hasNumber(depth, last) ? String(depth - 1) : null };
});
}
function axis(ticks, last) {
const made = [svg("line", { class: "axis", x1: percent(place(0, last)), x2: percent(place(last, last)), y1: -26, y2: -26 })];
for (const { depth, label } of ticks) {
const x = percent(place(depth, last));
made.push(svg("line", { class: label ? "major" : "minor", x1: x, x2: x, y1: -26, y2: label ? -18 : -22 }));
if (!label) continue;
const [at, anchor] = depth === 0 ? ["0%", "start"] : depth === last ? ["100%", "end"] : [x, "middle"];
const text = svg("text", { x: at, y: -4, "text-anchor": anchor }, label);
if (anchor === "middle" && isTight(Number.parseFloat(x))) text.setAttribute("class", "tight");
made.push(text);
}
return made;
}
function rulerFoot(...children) {
const foot = svg("svg", { y: "100%", overflow: "visible" });
foot.append(...children);
return foot;
}
function placeLabel(output, depth, last) {
const share = 100 * shareOf(depth, last);
const isOnAxis = output.matches(".depth-label");
output.style.left = percent(isOnAxis ? share : place(depth, last));
output.style.transform = `translateX(${percent(-share)})`;
if (!isOnAxis) return;
const ruler = output.parentElement;
sizes.unobserve(ruler);
sizes.observe(ruler);
}
const sizes = new ResizeObserver((entries) => {
for (const { target } of entries) if (target.clientWidth) clearUnderLabel(target);
});
const pen = document.createElement("canvas").getContext("2d");
function clearUnderLabel(ruler) {
const { left, width } = ruler.getBoundingClientRect();
const label = ruler.querySelector(".depth-label").getBoundingClientRect();
const shared = [...ruler.querySelectorAll("use")].map((use) => document.querySelector(use.getAttribute("href")));
for (const text of [ruler, ...shared].flatMap((each) => [...each.querySelectorAll("text:not([class]), text.tight")])) {
pen.font = getComputedStyle(text).font;
const length = pen.measureText(text.textContent).width;
const before = { start: 0, middle: 0.5, end: 1 }[text.getAttribute("text-anchor")] * length;
const start = left + (Number.parseFloat(text.getAttribute("x")) / 100) * width - before;
text.style.visibility = start < label.right && start + length > label.left ? "hidden" : "";
}
}
function setPicture(box, sourceOf, alt, picture = box.querySelector("picture")) {
const source = picture.querySelector("source:last-of-type");
const image = imageOf(box, picture);
for (const [element, attribute, form] of [[source, "srcset", "phone"], [image, "src", "wide"]]) {
const { src, size } = sourceOf(form);
if (element.getAttribute(attribute) !== src) element.setAttribute(attribute, src);
if (form === "wide" && box.matches("a")) box.href = src;
element.setAttribute("width", size[0]);
element.setAttribute("height", size[1]);
}
if (box.matches("a")) box.setAttribute("aria-label", alt);
delete image.dataset.wide;
image.alt = alt;
if (!image.parentElement) source.after(image);
}
const DARK = /((?:-phone)?\.webp)$/;
function setStrip(box, strip, alt) {
const [day, night = day.cloneNode(true)] = box.querySelectorAll("picture");
setPicture(box, (form) => strip[form], alt, day);
if (!strip.dark) return;
day.className = "by-day";
night.className = "by-night";
day.after(night);
setPicture(box, (form) => ({ ...strip[form], src: strip[form].src.replace(DARK, "-dark$1") }), alt, night);
}
function formSize(box) {
const [source, image] = [box.querySelector("source"), box.querySelector("img")];
const wide = wideSize(image);
const size = source && matchMedia(source.media).matches ? sizeOf(source) : wide;
["width", "height"].forEach((name, index) => image.setAttribute(name, size[index]));
return size;
}
const sizeOf = (element) => ["width", "height"].map((name) => Number(element.getAttribute(name)));
function wideSize(image) {
image.dataset.wide ??= sizeOf(image).join(" ");
return image.dataset.wide.split(" ").map(Number);
}
function imageOf(box, picture) {
const image = picture.querySelector("img");
if (!box.matches("[data-drawn], [data-drawable] .slot .plate") && getComputedStyle(picture).display !== "none") {
image.loading = "eager";
return image;
}
image.remove();
const lazy = document.createElement("img");
lazy.loading = "lazy";
return lazy;
}
function decodeAhead(image) {
image.loading = "eager";
image.decode().catch(() => {});
}
function fitted(text, space, widthOf) {
const characters = [...text];
let part = text;
let n = Math.ceil((characters.length * space) / widthOf(text));
while (n > 0 && widthOf(part) > space) part = `${characters.slice(0, n--).join("")}…`;
return part;
}
function afterLoad(act) {
let loaded = document.readyState === "complete";
window.addEventListener("load", () => {
loaded = true;
act();
});
return () => {
if (loaded) act();
};
}
return {
clamp, svg, make, tell, nHues, hueOf,
depthName, depthKey, parseDepth, findCapture, fileName,
hasModifier, listenToKeys, markSteps,
AddressWriter, parseAddress, decode, decodeIntegers, load, loadScripts,
geometry, percent, shareOf, place, listenToSlider, onNewWidth, depthTicks, axis, rulerFoot, placeLabel,
setPicture, setStrip, sizeOf, formSize, wideSize, decodeAhead, afterLoad,
fitted,
};
})();
