"use strict";

// The plates of a carousel that are drawn: those that are seen, at once, and their neighbours soon after.
Tokviz.PlateCarousel = class {
  constructor(board, root) {
    this.board = board;
    this.root = root;
    this.depth = 0;
    this.drawn = new Map();
    root.addEventListener("shown", ({ detail }) => this.show(detail.depth));
  }

  panels() {
    return [...this.root.querySelectorAll(".panel[data-drawable]:is([data-current], [data-beside])")];
  }

  show(depth) {
    this.depth = depth;
    const focused = this.root.contains(document.activeElement) ? this.board.keyIndex(document.activeElement) : -1;
    for (const panel of this.panels()) this.showPanel(panel, depth);
    this.tidy();
    if (focused >= 0) this.keyButton(focused)?.focus({ preventScroll: true });
    this.drawNeighbours();
  }

  showPanel(panel, depth) {
    this.board.use(Tokviz.captureOf(this.board.index, panel.dataset), (about) => {
      if (Math.abs(depth - this.depth) <= 1 && this.panels().includes(panel)) this.drawSlide(panel, about, depth);
    }, () => this.leaveImages(panel));
  }

  drawSlide(panel, about, depth) {
    const slide = panel.querySelectorAll(".slide")[depth];
    const holder = slide?.querySelector(".plate");
    if (!holder) return;
    this.drawn.set(slide, { panel, holder, depth });
    this.board.draw(holder, { about, depth, frame: panel.querySelector(".track"), seen: depth === this.depth });
    slide.setAttribute("data-near", "");
  }

  drawNeighbours() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => {
      for (const panel of this.panels()) {
        for (const depth of [this.depth - 1, this.depth + 1]) this.showPanel(panel, depth);
      }
    }, 120);
  }

  // Forgets what is far from the plates that are seen.
  tidy() {
    const shown = this.panels();
    for (const [slide, { depth, panel, holder }] of this.drawn) {
      if (!shown.includes(panel) || Math.abs(depth - this.depth) > 1) this.forget(slide);
      else this.board.setSeen(holder, depth === this.depth);
    }
  }

  forget(slide) {
    this.board.forget(this.drawn.get(slide).holder);
    slide.removeAttribute("data-near");
    this.drawn.delete(slide);
  }

  // The images of a panel stay what is seen.
  leaveImages(panel) {
    panel.removeAttribute("data-drawable");
    for (const [slide, each] of this.drawn) if (each.panel === panel) this.forget(slide);
    panel.querySelectorAll(".slide")[this.depth]?.setAttribute("data-near", "");
  }

  keyButton(index) {
    const slide = this.root.querySelector(".panel[data-current]").querySelectorAll(".slide")[this.depth];
    return slide.querySelectorAll(".plate-key button")[index];
  }
};

// A capture of the page's model; the first projection stands in for one that isn't named.
Tokviz.captureOf = ({ models: [model] }, { context: name, projection }) => {
  const context = model.contexts.find((each) => each.name === name);
  const shown = context.projections.find((each) => each.name === projection) ?? context.projections[0];
  return { model, context, shown, key: `${model.slug}/${name}/${shown.name}` };
};
