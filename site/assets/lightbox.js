"use strict";
(() => {
const { make } = Tokviz;
const ZOOMS = [1, 1.5, 2, 3, 4.5];
const SWIPE = 48;
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
let dialog = null;
let items = [];
let index = 0;
let zoom = 0;
let isDrawn = false;
function button(text, act) {
const element = make("button", { type: "button" }, text);
element.addEventListener("click", () => element.getAttribute("aria-disabled") !== "true" && act());
return element;
}
function build() {
const image = make("img", { alt: "", loading: "lazy" });
const holder = make("div", { class: "plate" }, make("picture", {}, image));
const figure = make("figure", {}, holder);
const view = make("div", { class: "lightbox-view", tabindex: "0", role: "group", "aria-label": "The image; scroll to move it" }, figure);
const parts = {
image,
holder,
figure,
view,
previous: button("← Previous", () => step(-1)),
next: button("Next →", () => step(1)),
larger: button("Zoom in", () => setZoom(zoom + 1)),
smaller: button("Zoom out", () => setZoom(zoom - 1)),
download: make("a", { download: "" }, "Download"),
caption: make("p", { class: "lightbox-caption", role: "status" }),
};
const close = button("Close", () => box.close());
const bar = make("div", { class: "lightbox-bar" }, parts.previous, parts.next, parts.smaller, parts.larger, parts.download, close);
const box = make("dialog", { class: "lightbox", "aria-label": "Enlarged image" }, bar, view, parts.caption);
document.body.append(box);
box.addEventListener("keydown", onKey);
box.addEventListener("click", (event) => event.target === view && box.close());
figure.addEventListener("dblclick", () => setZoom(zoom ? 0 : 2));
view.addEventListener("wheel", onWheel, { passive: false });
listenToSwipes(view);
new ResizeObserver(fit).observe(view);
return { box, close, ...parts };
}
function open(link) {
dialog ??= build();
const gallery = link.closest("[data-gallery]");
items = gallery ? [...gallery.querySelectorAll("a.plate")] : [link];
dialog.box.showModal();
show(items.indexOf(link));
dialog.close.focus();
dialog.box.addEventListener("close", () => items[index].focus({ preventScroll: true }), { once: true });
}
function show(wanted) {
index = wanted;
const link = items[index];
const picture = link.querySelector("img");
dialog.image.alt = picture.alt;
dialog.caption.textContent = picture.alt;
dialog.download.href = link.getAttribute("href");
dialog.download.hidden = link.getAttribute("href") === "#";
for (const [element, target] of [[dialog.previous, index - 1], [dialog.next, index + 1]]) {
element.hidden = items.length === 1;
element.setAttribute("aria-disabled", String(!items[target]));
}
fitDrawing(dialog);
isDrawn = !Tokviz.tell(link, "enlarge", { holder: dialog.holder, box: dialog.box });
fit();
link.dispatchEvent(new Event("enlarged", { bubbles: true }));
}
function choose() {
const picture = items[index].querySelector("img");
const narrow = items[index].querySelector("source");
const isNarrow = narrow !== null && matchMedia(narrow.media).matches;
const chosen = isNarrow && zoom === 0 ? narrow : picture;
const source = chosen === narrow ? narrow.srcset : picture.src;
const { image } = dialog;
if (image.getAttribute("src") !== source) image.src = source;
[image.width, image.height] = chosen === narrow ? Tokviz.sizeOf(narrow) : Tokviz.wideSize(picture);
return isNarrow && zoom > 0;
}
const step = (by) => items[index + by] && show(index + by);
function fit() {
if (!dialog.box.open) return;
const covers = choose();
if (isDrawn) fitDrawing(dialog);
else fitImage(dialog, covers);
dialog.smaller.setAttribute("aria-disabled", String(zoom === 0));
dialog.larger.setAttribute("aria-disabled", String(zoom === ZOOMS.length - 1));
}
function fitDrawing({ figure, view }) {
figure.style.width = `${view.clientWidth * ZOOMS[zoom]}px`;
figure.style.height = `${view.clientHeight * ZOOMS[zoom]}px`;
}
function fitImage({ figure, image, view }, covers) {
figure.removeAttribute("style");
const [width, height] = [image.getAttribute("width"), image.getAttribute("height")];
const whole = Math[covers ? "max" : "min"](view.clientWidth / width, view.clientHeight / height);
image.style.width = `${Math.floor(width * whole * ZOOMS[zoom])}px`;
}
function setZoom(wanted) {
const { figure, view } = dialog;
const extent = () => [Math.max(view.clientWidth, figure.offsetWidth), Math.max(view.clientHeight, figure.offsetHeight)];
const [width, height] = extent();
const x = (view.scrollLeft + view.clientWidth / 2) / width;
const y = (view.scrollTop + view.clientHeight / 2) / height;
zoom = Tokviz.clamp(wanted, 0, ZOOMS.length - 1);
fit();
const [newWidth, newHeight] = extent();
view.scrollTo(x * newWidth - view.clientWidth / 2, y * newHeight - view.clientHeight / 2);
}
function onKey(event) {
if (Tokviz.hasModifier(event)) return;
if (STEPS[event.key] && !(zoom && event.target === dialog.view)) step(STEPS[event.key]);
else if (event.key === "+" || event.key === "=") setZoom(zoom + 1);
else if (event.key === "-") setZoom(zoom - 1);
else if (event.key === "0") setZoom(0);
else return;
event.preventDefault();
event.stopPropagation();
}
let wheelDelta = 0;
function onWheel(event) {
if (!event.ctrlKey) return;
event.preventDefault();
wheelDelta += event.deltaY;
if (Math.abs(wheelDelta) < 20) return;
setZoom(zoom - Math.sign(wheelDelta));
wheelDelta = 0;
}
function listenToSwipes(view) {
let start = null;
view.addEventListener("touchstart", (event) => {
start = event.touches.length === 1 && zoom === 0 ? event.touches[0] : null;
}, { passive: true });
view.addEventListener("touchend", (event) => {
if (start === null) return;
const [end] = event.changedTouches;
const [x, y] = [end.clientX - start.clientX, end.clientY - start.clientY];
if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) step(-Math.sign(x));
}, { passive: true });
}
document.addEventListener("click", (event) => {
const link = event.target.closest("a.plate");
if (!link || event.button || Tokviz.hasModifier(event) || event.shiftKey) return;
event.preventDefault();
open(link);
});
})();
