"use strict";
Tokviz.take = (() => {
const { make } = Tokviz;
const IS_DRAWN = document.querySelector("script[data-plates]") !== null;
const LATE = ["copy.js", "picture.js", "save.js"].map((name) => new URL(name, document.currentScript.src).href);
const DRAWN = ["Copy link", "Save as PNG", "SVG"];
const PARTS = { image: ["Copy link", "Download"], link: ["Copy link"] };
const FORMS = { "Save as PNG": "png", SVG: "svg" };
const MESSAGE = 3000;
let message = null;
let timer = null;
function part(text, control) {
if (text === "Download") return make("a", { href: imageOf(control), download: "" }, text);
const form = FORMS[text] ?? "link";
return make("button", { type: "button", "data-form": form, ...(form === "svg" ? { "aria-label": "Save as SVG" } : {}) }, text);
}
function fill(control) {
const parts = (PARTS[control.dataset.take] ?? DRAWN).flatMap((text, index) => [index ? " · " : "", part(text, control)]);
control.append(...parts, make("span", { role: "status" }));
}
function addTo(slide) {
const caption = slide?.querySelector(".trust");
if (!caption || caption.querySelector("[data-take]")) return;
const control = make("span", { "data-take": IS_DRAWN ? "" : "image" });
caption.append(control);
fill(control);
}
const plotOf = (control) => control.closest("figure, [data-view]");
function plateOf(control) {
const plot = plotOf(control);
return plot.querySelector("[data-shown] .plate") ?? plot.querySelector(".plate");
}
function imageOf(control) {
const plate = plateOf(control);
return plate.getAttribute("href") ?? plate.querySelector("img").currentSrc;
}
function say(control, text) {
message?.replaceChildren();
clearTimeout(timer);
message = control.querySelector("[role=status]");
message.textContent = text;
timer = setTimeout(() => message.replaceChildren(), MESSAGE);
}
function addressOf(control) {
const slide = plotOf(control).querySelector("[data-slide]");
const asked = { fragment: slide && `#${slide.dataset.slide}` };
if (!slide) Tokviz.tell(control, "address", asked);
return asked.fragment === null ? location.href : new URL(asked.fragment, location.href).href;
}
async function copy(control) {
const address = addressOf(control);
try {
await navigator.clipboard.writeText(address);
say(control, "Copied.");
} catch {
await Tokviz.loadScripts(LATE);
Tokviz.save.showAddress(address);
}
}
async function save(control, form) {
try {
await Tokviz.loadScripts(LATE);
say(control, await Tokviz.save[control.dataset.take || "plate"](control, form));
} catch {
say(control, "Not saved.");
}
}
document.addEventListener("click", ({ target }) => {
const control = target.closest("[data-take]");
const form = target.closest("button")?.dataset.form;
if (!control || !form) return;
if (form === "link") copy(control);
else save(control, form);
});
for (const control of document.querySelectorAll("[data-take]")) fill(control);
return { addTo, fill, plotOf, plateOf, imageOf };
})();
