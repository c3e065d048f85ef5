// needs: common.js explore/data.js plates/framing.js
"use strict";

// A view as a plot of some size shows it: its words' places in that plot, whose axes have one scale. What trails and names are made of.
(() => {
  // Between the panes of a divided plot, in pixels: a line of text stands there.
  const GAP = 24;

  class Framed {
    constructor(view, width, height, mode) {
      Object.assign(this, { view, width, height, n: view.n, outside: view.outside, vocabulary: view.vocabulary });
      const area = { left: 0, top: 0, right: width, bottom: height };
      this.frames = view.extents.map((extents) => extents && Tokviz.framing.framing(extents, area, GAP, mode));
      // PC1 and PC2 at the plot's edges, as its main pane has them; null where there is no picture.
      this.limits = this.frames.map((frame) => frame && this.limitsOf(frame.main));
      this.found = new Map();
    }

    limitsOf({ middle, centre, units }) {
      const [x, y] = [0, 1].map((axis) => middle[axis] - (axis ? -1 : 1) * (centre[axis] / units[axis]));
      return [x, x + this.width / units[0], y - this.height / units[1], y];
    }

    // Shares of the plot's width and height, y from below: of all words, in the main pane or in the band.
    at(depth, part = "main") {
      const key = `${depth} ${part}`;
      if (!this.found.has(key)) this.found.set(key, this.placesIn(this.frames[depth]?.[part], this.view.at(depth)));
      return this.found.get(key);
    }

    placesIn(pane, shares) {
      const places = new Float32Array(2 * this.n);
      if (!pane) return places;
      for (let row = 0; row < this.n; row += 1) {
        const [x, y] = pane.place(shares[2 * row], shares[2 * row + 1]);
        places[2 * row] = x / this.width;
        places[2 * row + 1] = 1 - y / this.height;
      }
      return places;
    }

    // A pane as it is seen in the plot, which is zoomed.
    paneAt(depth, { k, x, y }, part = "main") {
      const { width, height } = this;
      const { left, top, right, bottom } = this.frames[depth]?.[part].area ?? { left: 0, top: 0, right: width, bottom: height };
      const [across, down] = [(at) => Tokviz.clamp(x + k * at, 0, width), (at) => Tokviz.clamp(y + k * at, 0, height)];
      return { left: across(left), right: across(right), top: down(top), bottom: down(bottom) };
    }

    // How far words lie beyond the plot at any depth, in widths or heights of it about its middle.
    get reach() {
      return Math.max(1, ...this.frames.flatMap((_, depth) => [...this.beyond(depth)].flatMap((row) => {
        const places = this.at(depth);
        return [Math.abs(2 * places[2 * row] - 1), Math.abs(2 * places[2 * row + 1] - 1)];
      })));
    }

    // The rows of the words that lie beyond the main pane's axes.
    beyond(depth) {
      const key = `${depth} beyond`;
      if (!this.found.has(key)) this.found.set(key, this.beyondOf(this.frames[depth]?.main.area, this.at(depth)));
      return this.found.get(key);
    }

    beyondOf(area, places) {
      if (!area) return new Set();
      const [left, right] = [area.left, area.right].map((x) => x / this.width);
      const [high, low] = [area.top, area.bottom].map((y) => 1 - y / this.height);
      const rows = [...Array(this.n).keys()].filter((row) => {
        const [x, y] = [places[2 * row], places[2 * row + 1]];
        return x < left - 1e-6 || x > right + 1e-6 || y < low - 1e-6 || y > high + 1e-6;
      });
      return new Set(rows);
    }
  }

  // The true plot of a divided one: dots in the words' hues, which zoom with all else.
  class Band {
    constructor(root) {
      this.root = root;
    }

    draw(framed, depth, visible, { k, x, y }) {
      this.root.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
      if (this.framed === framed && this.depth === depth && this.visible === visible) return;
      Object.assign(this, { framed, depth, visible });
      this.root.replaceChildren(...(framed.frames[depth]?.band ? this.paths() : []));
    }

    paths() {
      const { framed: { view, width, height }, visible } = this;
      const places = this.framed.at(this.depth, "band");
      const dots = new Map();
      for (const row of visible.keys()) {
        if (!visible[row]) continue;
        const hue = Tokviz.hueOf(view.vocabulary.memberships[row][0]);
        dots.set(hue, `${dots.get(hue) ?? ""}M${(places[2 * row] * width).toFixed(1)} ${((1 - places[2 * row + 1]) * height).toFixed(1)}h0`);
      }
      return [...dots].map(([hue, d]) => Tokviz.svg("path", { class: hue, d }));
    }
  }

  Object.assign(Explore, { Framed, Band });
})();
