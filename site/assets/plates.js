"use strict";

// Has the carousel's plates drawn as soon as a reader does anything: only then are the scripts that draw loaded, and the
// coordinates, so that a page that is only opened fetches little.
(() => {
  const ACTS = ["scroll", "pointermove", "pointerdown", "keydown", "touchstart"];

  // Calls act() once, at the first thing that a reader does.
  function whenUsed(act) {
    const once = () => {
      for (const name of ACTS) removeEventListener(name, once);
      act();
    };
    for (const name of ACTS) addEventListener(name, once, { passive: true });
  }

  // Adds scripts that run in this order.
  function load(sources) {
    return Promise.all(sources.map((source) => new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = source;
      script.async = false;
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    })));
  }

  function start(root, content) {
    const panels = root.querySelectorAll(".panel");
    let depth = 0;
    for (const panel of panels) panel.setAttribute("data-drawable", "");
    root.addEventListener("shown", ({ detail }) => {
      depth = detail.depth;
    });
    const draw = async () => {
      try {
        await load(content.scripts);
        new Tokviz.Plates(root, content).show(depth);
      } catch {
        for (const panel of panels) panel.removeAttribute("data-drawable");
      }
    };
    addEventListener("load", () => whenUsed(draw), { once: true });
  }

  for (const root of document.querySelectorAll("[data-viewer]")) {
    const content = root.querySelector("script[data-plates]");
    if (content) start(root, JSON.parse(content.textContent));
  }
})();
