"use strict";
(() => {
const source = document.querySelector("script[data-plates]");
if (!source) return;
const content = JSON.parse(source.textContent);
Tokviz.plotScale.open(location.hash);
const EVENTS = ["shown", "near", "slot"];
const events = new Map();
const drawable = document.querySelectorAll("[data-viewer] .panel, [data-compare], [data-series], [data-change]");
function keep(event) {
event.preventDefault();
events.set(event.target, event);
}
async function draw() {
try {
await Tokviz.loadScripts(content.scripts);
Tokviz.drawPlates(content);
} catch {
for (const each of drawable) each.removeAttribute("data-drawable");
for (const image of document.querySelectorAll(".slide img[data-late]")) image.removeAttribute("data-late");
for (const input of document.querySelectorAll("[data-find]")) input.disabled = true;
}
for (const name of EVENTS) document.removeEventListener(name, keep);
for (const { type, target, detail } of events.values()) {
if (Tokviz.tell(target, type, detail) && type === "near") target.querySelector("img[data-late]")?.removeAttribute("data-late");
}
}
for (const each of drawable) each.setAttribute("data-drawable", "");
for (const name of EVENTS) document.addEventListener(name, keep);
addEventListener("load", draw, { once: true });
})();
