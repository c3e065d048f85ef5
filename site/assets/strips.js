"use strict";
(() => {
const { svg, clamp, percent, geometry, place, depthName, depthKey } = Tokviz;
const NEAR = "400px";
function link(depth, last, address) {
const half = geometry.axisLength / Math.max(last, 1) / 2;
const [left, right] = [-half, half].map((step) => clamp(place(depth, last) + step, 0, 100));
const made = svg("a", { href: address, tabindex: -1 });
made.append(svg("title", {}, depthName(depth)), svg("rect", { x: percent(left), width: percent(right - left) }));
return made;
}
function fill(ruler) {
const last = Number(ruler.dataset.last);
const links = Array.from({ length: last + 1 }, (_, depth) => link(depth, last, ruler.dataset.slides + depthKey(depth)));
const axis = ruler.matches(".ruler-bare") ? [] : [Tokviz.rulerFoot(...Tokviz.axis(Tokviz.depthTicks(last), last))];
ruler.querySelector(".scale").replaceChildren(...axis, ...links);
}
const observer = new IntersectionObserver((entries) => {
for (const { isIntersecting, target } of entries) {
if (!isIntersecting) continue;
observer.unobserve(target);
fill(target);
}
}, { rootMargin: NEAR });
for (const ruler of document.querySelectorAll(".ruler[data-slides]")) observer.observe(ruler);
})();
