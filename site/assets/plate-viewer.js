"use strict";

// The carousel's plates as drawings: a plate is drawn when it is seen, in place of its image, which stays for printing and
// for what can't be drawn. A reader may point at words, and see one category alone; both stay from layer to layer.
(() => {
  const { plate } = Tokviz;
  // How near a pointer or a finger must be, in pixels.
  const POINTER = 14;
  const FINGER = 24;

  class Plates {
    constructor(root, content) {
      this.root = root;
      this.index = new Explore.Index(content);
      this.drawn = new Map();
      this.views = new Map();
      this.depth = 0;
      this.widths = new Map();
      // Rows of words, and categories: what is pointed at passes, what is chosen stays.
      this.pointed = this.chosen = null;
      this.previewed = this.isolated = null;
      this.listen();
    }

    // --- which plates ---

    panels() {
      return [...this.root.querySelectorAll(".panel[data-drawable]:is([data-current], [data-beside])")];
    }

    show(depth) {
      this.depth = depth;
      const focused = this.keyIndex(document.activeElement);
      for (const panel of this.panels()) this.showPanel(panel);
      this.tidy();
      if (focused >= 0) this.keyOf(focused)?.focus({ preventScroll: true });
      this.drawNeighbours();
    }

    showPanel(panel) {
      const about = this.views.get(panel);
      if (about) this.drawSlide(panel, about, this.depth);
      else if (about === undefined) this.load(panel);
    }

    async load(panel) {
      this.views.set(panel, null);
      const { context, projection } = panel.dataset;
      const capture = this.index.capture({ model: this.index.models[0].slug, context, projection });
      try {
        const [view] = await Promise.all([this.index.view(capture), document.fonts?.ready]);
        this.views.set(panel, { ...plate.about(view, capture, this.index.categories), layouts: new Map() });
        this.show(this.depth);
      } catch {
        this.leaveImages(panel);
      }
    }

    // The images of a panel stay what is seen.
    leaveImages(panel) {
      panel.removeAttribute("data-drawable");
      for (const slide of panel.querySelectorAll(".slide")) this.forget(slide);
    }

    drawNeighbours() {
      clearTimeout(this.soon);
      this.soon = setTimeout(() => {
        for (const panel of this.panels()) {
          const about = this.views.get(panel);
          if (!about) continue;
          for (const depth of [this.depth - 1, this.depth + 1]) this.drawSlide(panel, about, depth);
        }
      }, 120);
    }

    // Forgets what is far from the plates that are seen.
    tidy() {
      const shown = this.panels();
      for (const [slide, { depth, panel }] of this.drawn) {
        if (!shown.includes(panel) || Math.abs(depth - this.depth) > 1) this.forget(slide);
        else this.drawn.get(slide).key.inert = depth !== this.depth;
      }
    }

    forget(slide) {
      const found = this.drawn.get(slide);
      if (!found) return;
      found.link.removeAttribute("data-drawn");
      found.drawing.remove();
      found.key.remove();
      slide.removeAttribute("data-near");
      this.drawn.delete(slide);
    }

    // --- one plate ---

    drawSlide(panel, about, depth) {
      const slide = panel.querySelectorAll(".slide")[depth];
      const link = slide?.querySelector(".plate");
      if (!link || !about.view.limits[depth]) return;
      const [width, height] = this.sizeOf(panel, link);
      // Nothing is seen while a window is rearranged.
      if (!width) return;
      const layout = about.layouts.get(`${width} ${height}`) ?? plate.layoutOf(about, width, height);
      if (!layout) {
        this.leaveImages(panel);
        slide.setAttribute("data-near", "");
        return;
      }
      about.layouts.set(`${width} ${height}`, layout);
      const found = this.drawn.get(slide) ?? this.make({ panel, about, slide, link, depth });
      if (found.layout !== layout) this.fit(found, layout);
      slide.setAttribute("data-near", "");
      this.redraw(found);
    }

    fit(found, layout) {
      Object.assign(found, { layout, isolated: undefined });
      found.drawing.setAttribute("width", layout.width);
      found.drawing.setAttribute("height", layout.height);
      Tokviz.plateKey.place(found.key, found.about, layout);
    }

    make({ panel, about, slide, link, depth }) {
      const drawing = Tokviz.svg("svg", { class: "plate-svg", role: "img", "aria-label": link.querySelector("img").alt });
      const key = Tokviz.plateKey.make();
      key.inert = depth !== this.depth;
      const found = { panel, about, slide, link, depth, drawing, key };
      link.append(drawing);
      link.after(key);
      link.setAttribute("data-drawn", "");
      this.drawn.set(slide, found);
      return found;
    }

    redraw(found) {
      const isolated = this.previewed ?? this.isolated;
      if (found.isolated !== isolated) {
        found.isolated = isolated;
        found.made = plate.draw(found.drawing, found.about, found.layout, found.depth, isolated);
        Tokviz.plateKey.note(found.key, found.about, found.made, isolated);
      }
      plate.point(found.drawing, found.about, found.layout, found.made, this.pointed ?? this.chosen);
      Tokviz.plateKey.press(found.key, this.isolated);
    }

    redrawAll() {
      for (const found of this.drawn.values()) {
        if (found.depth === this.depth) this.redraw(found);
      }
      this.drawNeighbours();
    }

    // --- what a reader does ---

    listen() {
      const { root } = this;
      root.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(event));
      root.addEventListener("pointerleave", () => {
        this.setPreviewed(null);
        this.setPointed(null);
      });
      root.addEventListener("click", (event) => this.click(event));
      root.addEventListener("keydown", (event) => this.onKey(event));
      // Wherever the focus is: what is pointed at may hide something.
      document.addEventListener("keydown", (event) => event.key === "Escape" && this.release());
      root.addEventListener("shown", ({ detail }) => this.show(detail.depth));
      const resized = new ResizeObserver(() => {
        this.widths.clear();
        this.show(this.depth);
      });
      for (const track of root.querySelectorAll(".track")) resized.observe(track);
    }

    hover(event) {
      const found = this.under(event.target);
      const button = event.target.closest?.(".plate-key button");
      this.setPreviewed(button ? this.keyIndex(button) : null);
      this.setPointed(found ? this.rowAt(found, event, POINTER) : null);
    }

    setPreviewed(category) {
      if (category === this.previewed) return;
      this.previewed = category;
      this.redrawAll();
    }

    setPointed(row) {
      if (row === this.pointed) return;
      this.pointed = row;
      for (const { link } of this.drawn.values()) link.classList.toggle("on-word", row !== null);
      this.redrawAll();
    }

    choose(row) {
      this.chosen = row;
      this.redrawAll();
      this.say();
    }

    click(event) {
      const button = event.target.closest(".plate-key button");
      if (button) return this.isolate(this.keyIndex(button));
      const found = this.under(event.target);
      if (!found) return undefined;
      const row = this.rowAt(found, event, event.pointerType === "touch" ? FINGER : POINTER);
      if (row === null && this.chosen === null) return undefined;
      // Elsewhere a click enlarges the picture.
      event.preventDefault();
      event.stopPropagation();
      return this.choose(row === this.chosen ? null : row);
    }

    isolate(category) {
      this.isolated = category === this.isolated ? null : category;
      this.previewed = null;
      this.redrawAll();
      this.say();
    }

    onKey(event) {
      if (Tokviz.hasModifier(event)) return;
      const button = event.target.closest(".plate-key button");
      if (!button || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      this.stepWord(this.keyIndex(button), event.key === "ArrowDown" ? 1 : -1);
    }

    release() {
      if ((this.chosen ?? this.isolated ?? this.pointed ?? this.previewed) === null) return;
      this.pointed = this.previewed = this.isolated = null;
      this.choose(null);
    }

    // The next word of a category, in the list's order.
    stepWord(category, by) {
      const found = this.current();
      if (!found) return;
      const rows = [...found.about.view.vocabulary.memberships.keys()]
        .filter((row) => found.about.view.vocabulary.memberships[row].includes(category));
      const at = rows.indexOf(this.chosen);
      this.choose(rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length]);
    }

    // What was chosen, for those who don't see it.
    say() {
      const found = this.current();
      if (found) Tokviz.plateKey.say(found.key, found.about, this.chosen, this.isolated);
    }

    // --- what is where ---

    // A plate is as wide as its track, and as high as its image would be. Measured once: what was drawn just before would have
    // to be laid out first.
    sizeOf(panel, link) {
      if (!this.widths.has(panel)) this.widths.set(panel, panel.querySelector(".track").getBoundingClientRect().width);
      const source = link.querySelector("source");
      const chosen = source && matchMedia(source.media).matches ? source : link.querySelector("img");
      const [width, height] = [chosen.getAttribute("width"), chosen.getAttribute("height")].map(Number);
      const wide = this.widths.get(panel);
      return [wide, (wide * height) / width];
    }

    current() {
      return [...this.drawn.values()].find(({ depth, panel }) => depth === this.depth && panel.hasAttribute("data-current"));
    }

    keyIndex(button) {
      const key = button?.closest?.(".plate-key");
      return key ? [...key.querySelectorAll("button")].indexOf(button) : -1;
    }

    keyOf(index) {
      return this.current()?.key.querySelectorAll("button")[index];
    }

    under(target) {
      const drawing = target.closest?.(".plate-svg[role=img]");
      return drawing && [...this.drawn.values()].find((each) => each.drawing === drawing);
    }

    // The word whose name or mark is under the pointer; a category that is seen alone has all of it.
    rowAt({ drawing, made, about, isolated }, { clientX, clientY }, most) {
      const box = drawing.getBoundingClientRect();
      const at = [clientX - box.left, clientY - box.top];
      const name = made.names.find((each) => at[0] > each.left && at[0] < each.right && at[1] > each.top - 1 && at[1] < each.bottom + 1);
      if (name) return name.row;
      const { memberships } = about.view.vocabulary;
      const rows = made.points.rows.filter((row) => isolated === null || memberships[row].includes(isolated));
      return Tokviz.plateLayout.nearest(made.points, rows, at, most);
    }
  }

  Tokviz.Plates = Plates;
})();
