// needs: common.js explore/data.js plates/layout.js plates/plate.js
"use strict";

// Draws the first page's picture in place of its images, and moves its words from one state to the other. Only what the page says
// is turned, within the picture: what is seen to move is what no choice of axes explains.
Tokviz.twoStates = (() => {
  const { svg, plate, plateKey, plateLayout } = Tokviz;
  const DURATION = 1000;
  // How near a pointer or a finger must be, in pixels.
  const NEAR = 20;
  const STILL = matchMedia("(prefers-reduced-motion: reduce)");

  // The view of a capture, with one depth turned as the page says.
  function turned(view, { depth, turn }) {
    if (!turn) return view;
    const [a, b, c, d] = turn.matrix;
    const [left, across, low, up] = turn.extents;
    const places = new Float32Array(2 * view.n);
    for (let row = 0; row < view.n; row += 1) {
      const [x, y] = view.values(depth, row);
      const place = [(a * x + c * y - left) / across, (b * x + d * y - low) / up];
      places.set(place, 2 * row);
    }
    const instead = (list, value) => list.map((each, index) => (index === depth ? value : each));
    return Object.assign(Object.create(view), {
      at: () => places, extents: instead(view.extents, turn.extents),
    });
  }

  class Drawing {
    constructor(root, states, subjects) {
      Object.assign(this, { states, subjects, shown: null, isolated: null, width: 0 });
      this.frame = root.querySelector(".two-states");
      this.images = [...root.querySelectorAll(".state")];
      this.drawing = svg("svg", { class: "plate-svg", role: "img" });
      this.key = plateKey.create();
      this.box = Tokviz.make("div", { class: "states-plate" }, this.drawing, this.key);
      this.box.addEventListener("click", ({ target }) => this.press(target.closest(".plate-categories button")));
      for (const name of ["pointermove", "pointerdown"]) this.drawing.addEventListener(name, (event) => this.point(event));
      this.drawing.addEventListener("pointerleave", () => this.point(null));
      // In the next frame: what is drawn changes the size of what is observed.
      new ResizeObserver(() => requestAnimationFrame(() => this.fit())).observe(this.frame);
    }

    show(state) {
      const before = this.shown === null ? null : this.made;
      this.shown = state;
      if (!this.fit()) this.draw(before);
    }

    // Lays the picture out, as wide as there is space and as high as its image; whether anything was drawn again.
    fit() {
      const { width } = this.frame.getBoundingClientRect();
      if (this.shown === null || !width || width === this.width) return false;
      this.width = width;
      const [[wide, tall]] = this.images.map(Tokviz.formSize);
      const [one, other] = this.subjects;
      const extents = [...one.view.extents, ...other.view.extents];
      const view = Object.assign(Object.create(one.view), { extents });
      this.layout = plate.layoutOf({ ...one, view }, width, (width * tall) / wide);
      this.frame.toggleAttribute("data-drawn", this.layout !== null);
      if (this.layout === null) this.box.remove();
      else this.draw(null);
      return true;
    }

    draw(before) {
      const { drawing, key, layout, isolated } = this;
      if (layout === null) return;
      const [subject, { depth, turn }] = [this.subjects[this.shown], this.states[this.shown]];
      if (!this.box.isConnected) this.frame.append(this.box);
      drawing.setAttribute("width", layout.width);
      drawing.setAttribute("height", layout.height);
      drawing.setAttribute("aria-label", this.images[this.shown].querySelector("img").alt);
      this.made = plate.draw(drawing, subject, layout, depth, isolated);
      if (turn) this.nameAxes(turn.axes);
      if (key.dataset.width !== String(layout.width)) plateKey.place(key, subject, layout);
      key.dataset.width = layout.width;
      plateKey.note(key, subject, this.made, isolated);
      plateKey.press(key, isolated);
      if (before && !STILL.matches) this.move(before);
    }

    // What is turned has no PC1 to the right and no PC2 upwards.
    nameAxes(name) {
      const { area, size } = this.layout;
      const axes = this.drawing.querySelector(".plate-axes");
      const text = svg("text", { x: area.right, y: Math.round(area.bottom) + 5.5 + size, "text-anchor": "end" }, name);
      axes.replaceChildren(axes.firstElementChild, text);
    }

    // Marks, and the names that both states have, come from where they were; what else there is appears.
    move({ points, names }) {
      const { drawing, made } = this;
      const timing = { duration: DURATION, easing: "ease-in-out", fill: "backwards" };
      const at = ({ x, y }, row) => ({ transform: `translate(${x[row]}px, ${y[row]}px)` });
      const appear = (element) => element.animate([{ opacity: 0 }, { offset: 0.6, opacity: 0 }, {}], timing);
      drawing.querySelectorAll(".plate-marks > g").forEach((mark, row) => mark.animate([at(points, row), at(made.points, row)], timing));
      const boxes = new Map(names.map((box) => [box.row, box]));
      drawing.querySelectorAll(".plate-names text").forEach((text, index) => {
        const now = made.names[index];
        const from = boxes.get(now.row);
        if (!from) return appear(text);
        return text.animate([{ transform: `translate(${from.left - now.left}px, ${from.base - now.base}px)` }, { transform: "none" }], timing);
      });
      for (const part of drawing.querySelectorAll(".plate-lines, .plate-axes")) appear(part);
    }

    press(button) {
      if (!button) return;
      const category = [...this.key.querySelectorAll(".plate-categories button")].indexOf(button);
      this.isolated = category === this.isolated ? null : category;
      this.draw(null);
      plateKey.say(this.key, this.subjects[this.shown], null, this.isolated);
    }

    point(event) {
      const { drawing, made, layout } = this;
      const subject = this.subjects[this.shown];
      const box = drawing.getBoundingClientRect();
      const row = event && plateLayout.nearest(made.points, made.points.rows, [event.clientX - box.left, event.clientY - box.top], NEAR);
      plate.point(drawing, subject, layout, made, row);
    }
  }

  return async (root, { words, categories, states }) => {
    const index = new Explore.Index({ words, models: [] });
    const contexts = states.map(({ context }) => context);
    const captures = states.map((state) => ({ ...state, model: { ...state.model, contexts } }));
    const views = await Promise.all(captures.map((capture) => index.view(capture)));
    await document.fonts?.ready;
    const subjects = views.map((view, each) => plate.about(turned(view, states[each]), captures[each], categories));
    return new Drawing(root, states, subjects);
  };
})();
