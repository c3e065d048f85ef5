"use strict";

// What readers add to the charts of a page stands on its root: a style that asked for checked boxes would be worked out again at
// every change of the page.
(() => {
  const boxes = [...document.querySelectorAll("input[data-adds]")];

  function show() {
    document.documentElement.dataset.shows = boxes.filter(({ checked }) => checked).map(({ dataset }) => dataset.adds).join(" ");
  }

  // What is asked for is seen: where no chart in sight has it, those that are folded open.
  function unfold({ checked, dataset }) {
    const all = [...document.querySelectorAll(`.chart .switch-${dataset.adds}`)];
    if (checked && all.length && !all.some((each) => each.checkVisibility())) all[0].closest("details").open = true;
  }

  // The same may be added in several places.
  for (const box of boxes) {
    box.addEventListener("change", () => {
      for (const each of boxes) if (each.dataset.adds === box.dataset.adds) each.checked = box.checked;
      show();
      unfold(box);
    });
  }
  if (boxes.length) show();
})();
