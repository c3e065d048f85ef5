"use strict";

// The shapes and colours of categories' marks, as the images have them.
Tokviz.shape = (() => {
  // Each has the area of a circle of diameter 1; y runs down.
  const SHAPES = [
    "M.5 0A.5.5 0 1 1-.5 0A.5.5 0 1 1 .5 0Z",
    "M-.443 .443L.443 .443L.443-.443L-.443-.443Z",
    "M0-.836L-.627.418L.627.418Z",
    "M0 .627L.627 0L0-.627L-.627 0Z",
    "M0 .836L.627-.418L-.627-.418Z",
    "M-.198 .594L.198 .594L.198 .198L.594 .198L.594-.198L.198-.198L.198-.594L-.198-.594L-.198-.198L-.594-.198L-.594 .198L-.198 .198Z",
    "M0-.836L-.188-.258L-.796-.258L-.304 .099L-.492 .677L0 .319L.492 .677L.304 .099L.796-.258L.188-.258Z",
    "M-.28 .56L0 .28L.28 .56L.56 .28L.28 0L.56-.28L.28-.56L0-.28L-.28-.56L-.56-.28L-.28 0L-.56 .28Z",
    "M-.836 0L.418 .627L.418-.627Z",
    "M.836 0L-.418-.627L-.418 .627Z",
  ];

  const { hues = 9, shapes } = document.documentElement.dataset;
  const all = shapes?.split("|") ?? SHAPES;
  Tokviz.hueOf = (category) => `hue-${category % hues}`;
  return (category) => all[category % all.length];
})();
