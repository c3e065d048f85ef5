"use strict";

// The section of relations and orders: each in the layer that the carousel shows.
(() => {
  const section = document.querySelector("[data-related]");
  const viewer = document.querySelector("[data-viewer]");
  const plots = [...section.querySelectorAll("[data-plot]")];
  let latest = 0;

  async function show(depth) {
    const { context, hasRelations } = viewer.querySelector(".panel[data-current]").dataset;
    const turn = ++latest;
    if (hasRelations === undefined) {
      for (const plot of plots) plot.closest("figure").toggleAttribute("data-unmeasured", true);
      return;
    }
    let related = null;
    try {
      related = await Tokviz.useRelated();
    } catch {
      // The image is all that there is.
      for (const plot of plots) plot.remove();
      return;
    }
    try {
      const { items, label } = await related.load(viewer.dataset, context);
      if (turn !== latest) return;
      for (const plot of plots) {
        const item = items[Number(plot.dataset.plot)];
        plot.closest("figure").toggleAttribute("data-unmeasured", item.problem !== undefined);
        const where = `${Tokviz.depthName(depth)}, ${label}`;
        related.draw(plot, item, depth, where, `${item.label}, ${where}`);
      }
    } catch (error) {
      if (turn !== latest) return;
      for (const plot of plots) {
        plot.closest("figure").removeAttribute("data-unmeasured");
        related.clear(plot, error.message);
      }
    }
  }

  // The layer may change many times before the section is seen.
  let depth = Number(viewer.querySelector(".panel[data-current] input[type=range]").value);
  let isSeen = false;
  viewer.addEventListener("shown", ({ detail }) => {
    depth = detail.depth;
    if (isSeen) show(depth);
  });
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    if (isSeen) show(depth);
  }, { rootMargin: "200px" }).observe(section);
})();
