"use strict";
(() => {
function open(hash) {
const target = document.getElementById(hash.slice(1));
const part = target?.closest("details.part");
if (!part || part.open) return;
part.open = true;
target.scrollIntoView({ behavior: "instant" });
}
document.addEventListener("click", ({ target }) => {
const link = target.closest?.("a[href^='#']");
if (link) open(link.hash);
});
window.addEventListener("hashchange", () => open(location.hash));
open(location.hash);
})();
