"use strict";
(() => {
const boxes = [...document.querySelectorAll("input[data-adds]")];
function show() {
document.documentElement.dataset.shows = boxes.filter(({ checked }) => checked).map(({ dataset }) => dataset.adds).join(" ");
}
for (const box of boxes) {
box.addEventListener("change", () => {
for (const each of boxes) if (each.dataset.adds === box.dataset.adds) each.checked = box.checked;
show();
});
}
if (boxes.length) show();
})();
