// needs: common.js
"use strict";

// What is shown of plots whose second axis is very short: "both" the true plot and the magnified one, or one of them alone, which
// "true" and "magnified" stand for. Chosen once for all plots of a page, and part of its address: …&scale=true
Tokviz.plotScale = (() => {
  const MODES = ["both", "true", "magnified"];
  const KEY = "m";

  const scale = {
    mode: MODES[0],
    MODES,
    get address() {
      return scale.mode === MODES[0] ? "" : `&scale=${scale.mode}`;
    },
    // An address without its scale, which is set.
    open(fragment) {
      const [, wanted] = fragment.match(/&scale=([a-z]+)/) ?? [];
      set(MODES.includes(wanted) ? wanted : MODES[0]);
      return fragment.replace(/&scale=[a-z]+/, "");
    },
    choose(mode) {
      if (set(mode)) document.dispatchEvent(new CustomEvent("scale-chosen"));
    },
  };

  function set(mode) {
    const isNew = mode !== scale.mode;
    scale.mode = mode;
    if (isNew) document.dispatchEvent(new CustomEvent("scale"));
    return isNew;
  }

  // Whether any plot that is shown is divided.
  const isOffered = () => [...document.querySelectorAll(".plate-scale, .plot-scale")]
    .some((each) => each.checkVisibility({ visibilityProperty: true }));

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== KEY || !isOffered() || Tokviz.hasModifier(event) || event.target.matches?.("input:not([type=radio], [type=range]), select, textarea")) return;
    scale.choose(MODES[(MODES.indexOf(scale.mode) + 1) % MODES.length]);
  });

  return scale;
})();
