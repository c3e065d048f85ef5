"use strict";
(() => {
const dialog = document.querySelector("[data-shortcuts]");
const TEXTS = "input:not([type=range], [type=radio]), select, textarea";
if (!dialog) return;
function open() {
if (!dialog.open) dialog.showModal();
}
document.querySelector("[data-keys]").addEventListener("click", open);
dialog.querySelector("button").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
document.addEventListener("keydown", (event) => {
if (event.key !== "?" || Tokviz.hasModifier(event) || event.target.closest(TEXTS)) return;
event.preventDefault();
open();
});
})();
