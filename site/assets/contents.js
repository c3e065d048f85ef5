"use strict";
(() => {
const nav = document.querySelector(".contents");
if (!nav) return;
const list = nav.querySelector("ul");
const here = document.createElement("span");
nav.querySelector("button").append(here);
const parts = [...list.querySelectorAll("a")].map((link) => ({ link, target: document.getElementById(link.hash.slice(1)), isAbove: false }));
const known = parts.filter(({ target }) => target);
function mark() {
const read = known.findLast(({ isAbove }) => isAbove) ?? known[0];
here.textContent = read.link.textContent;
for (const { link } of known) {
if (link === read.link) link.setAttribute("aria-current", "true");
else link.removeAttribute("aria-current");
}
}
const observer = new IntersectionObserver((entries) => {
for (const { isIntersecting, target } of entries) known.find((each) => each.target === target).isAbove = isIntersecting;
mark();
}, { rootMargin: "1000000px 0px -50% 0px" });
for (const { target } of known) observer.observe(target);
list.addEventListener("click", ({ target }) => {
if (target.closest("a") && list.matches(":popover-open")) list.hidePopover();
});
})();
