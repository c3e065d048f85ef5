"use strict";
(() => {
const SLIDE = /^([^/+]+)\/(embedding|layer-(\d+))(?:\/([^/+]+))?(?:\+([^+]+))?$/;
const root = document.documentElement;
const address = (location.hash.slice(1) || root.dataset.opens || "").split("&")[0];
const named = SLIDE.exec(address);
const [, context, at, layer, projection, beside] = named ?? [];
const depth = layer === undefined ? 0 : Number(layer) + 1;
if (/^[\w-]+=|^table$/.test(address)) {
root.dataset.opening = "";
addEventListener("load", () => delete root.dataset.opening);
}
let first = null;
let panel = null;
let second = null;
let isSlide = named !== null;
const isShown = (element) => {
const own = element.closest(".panel");
return own !== null && (own === panel || own === second);
};
const isOf = ({ dataset }, name, shown) => dataset.context === name && dataset.projection === shown;
function openPanel(element) {
first ??= element;
const shown = projection ?? first.dataset.projection;
if (isOf(element, context, shown)) panel = element;
else if (canPair(element) && isOf(element, beside, shown)) second = element;
element.toggleAttribute("data-current", element === panel);
element.toggleAttribute("data-beside", element === second && panel !== null);
}
function canPair(element) {
const select = element.parentElement.querySelector("[data-pair-select]");
return beside !== context && [...(select?.options ?? [])].some(({ value }) => value === beside);
}
function openViewer(viewer, { dataset }) {
const has = (name, value) => !value || value === dataset[name] || viewer.querySelector(`[name=${name}][value="${CSS.escape(value)}"]`);
isSlide = Boolean(has("context", context) && has("projection", projection));
if (!isSlide) return;
viewer.toggleAttribute("data-pair", canPair(viewer.firstElementChild));
for (const radio of viewer.querySelectorAll("[data-switch] input")) {
const value = radio.name === "context" ? context : projection;
if (value) radio.checked = radio.value === value;
}
if (viewer.hasAttribute("data-pair")) viewer.querySelector("[data-pair-select]").value = beside;
}
function openRuler(range) {
if (depth > Number(range.max)) {
openFirst();
return;
}
const name = at.replace("-", " ");
const output = range.parentElement.querySelector("output");
const share = depth / (Number(range.max) || 1);
range.value = depth;
range.setAttribute("aria-valuetext", name);
output.value = name;
output.style.left = `${100 * share}%`;
output.style.transform = `translateX(${-100 * share}%)`;
}
function openTrack(track) {
track.dataset.opening = "";
if (panel) second?.toggleAttribute("data-beside", true);
}
function openSlide(slide) {
slide.toggleAttribute("data-near", isShown(slide) && slide.id.split("/")[1] === at);
}
function open(element) {
if (isSlide) {
if (element.matches(".panel")) {
if (!first) openViewer(element.parentElement, element);
if (isSlide) openPanel(element);
} else if (element.matches(".track") && isShown(element)) openTrack(element);
else if (element.matches(".slide")) openSlide(element);
else if (element.matches("[type=range]") && isShown(element)) openRuler(element);
else if (element.matches("[data-follow]") && panel) {
element.toggleAttribute("data-current", isOf(element, context, element.dataset.projection && panel.dataset.projection));
}
}
if (element.matches(".slide[data-near] img")) openImage(element);
}
function openImage(image) {
if (image.closest("[data-draws]")) {
image.toggleAttribute("data-late", true);
image.closest("a").setAttribute("aria-label", image.alt);
} else image.loading = "eager";
}
addEventListener("load", () => {
if (document.querySelector(".panel[data-drawable]")) return;
for (const image of document.querySelectorAll(".slide img[data-late]")) image.removeAttribute("data-late");
});
const observer = new MutationObserver((changes) => {
for (const { addedNodes } of changes) {
for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) open(node);
}
});
observer.observe(root, { childList: true, subtree: true });
document.addEventListener("readystatechange", () => {
observer.disconnect();
if (isSlide && first && !panel) openFirst();
}, { once: true });
function openFirst() {
isSlide = false;
for (const each of document.querySelectorAll("[data-opening], [data-beside], [data-pair], .panel[data-current]")) {
for (const name of ["data-opening", "data-beside", "data-pair", "data-current"]) each.removeAttribute(name);
}
first.toggleAttribute("data-current", true);
const slide = first.querySelector(".slide");
slide?.toggleAttribute("data-near", true);
const image = slide?.querySelector("img");
if (image) openImage(image);
}
})();
