"use strict";
(() => {
const boxes = [...document.querySelectorAll("input[data-adds]")];
function show() {
document.documentElement.dataset.shows = boxes.filter(({ checked }) => checked).map(({ dataset }) => dataset.adds).join(" ");
}
function unfold({ checked, dataset }) {
const all = [...document.querySelectorAll(`.chart .switch-${dataset.adds}`)];
if (checked && all.length && !all.some((each) => each.checkVisibility())) all[0].closest("details").open = true;
}
for (const box of boxes) {
box.addEventListener("change", () => {
for (const each of boxes) if (each.dataset.adds === box.dataset.adds) each.checked = box.checked;
show();
unfold(box);
});
}
if (boxes.length) show();
})();
