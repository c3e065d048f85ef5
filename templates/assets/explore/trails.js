// needs: common.js explore/data.js
"use strict";

// The depths of a view turned onto each other, so that trails can join them in the axes of one: orthogonal Procrustes in the plot's
// two dimensions (Schönemann 1966, Psychometrika 31). Never in all dimensions: with as many of them as words, states that have nothing in
// common could be turned onto each other.
(() => {
  // Two words lie on a line, and can always be turned onto two others.
  const LEAST_WORDS = 3;
  // As a share of the plot: wherever words differ at all they fill it, and less than this is what rounding left.
  const LEAST_SIZE = 0.01;
  const SAME = [1, 0, 0, 1];

  class Aligned {
    constructor(view) {
      this.view = view;
      const rows = [...Array(view.n).keys()];
      const reference = rows.filter((row) => !view.outside.has(row));
      this.rows = reference.length ? reference : rows;
      this.clouds = view.limits.map((limits, depth) => (limits ? this.cloud(limits, view.at(depth)) : null));
      // Of each depth, how the one before it is turned onto it; null where that isn't defined.
      this.turns = this.clouds.map((_, depth) => this.turn(depth));
      this.mapped = new Map();
    }

    // The middle of the reference words, as places in the plot; the plot's size; and the root of Σ x² about the middle. Sizes are
    // in the units of the coordinates, which are the same along both axes.
    cloud([left, right, low, high], places) {
      const { rows } = this;
      if (rows.length < LEAST_WORDS) return null;
      const [width, height] = [right - left, high - low];
      let [x, y] = [0, 0];
      for (const row of rows) {
        x += places[2 * row] / rows.length;
        y += places[2 * row + 1] / rows.length;
      }
      let [across, up] = [0, 0];
      for (const row of rows) {
        across += (places[2 * row] - x) ** 2;
        up += (places[2 * row + 1] - y) ** 2;
      }
      if (Math.hypot(Math.sqrt(across), Math.sqrt(up)) < LEAST_SIZE) return null;
      return { x, y, width, height, size: Math.hypot(Math.sqrt(across) * width, Math.sqrt(up) * height) };
    }

    // The rotation or reflection of the words of the depth before, as rows times a matrix, after which they lie nearest to those of
    // this depth; and what share of their variance no turn, shift or size takes away.
    turn(depth) {
      const [moved, still] = [this.clouds[depth - 1], this.clouds[depth]];
      if (!moved || !still) return null;
      const [before, after] = [this.view.at(depth - 1), this.view.at(depth)];
      let [xx, xy, yx, yy] = [0, 0, 0, 0];
      for (const row of this.rows) {
        const [a, b] = [(before[2 * row] - moved.x) * moved.width, (before[2 * row + 1] - moved.y) * moved.height];
        const [x, y] = [(after[2 * row] - still.x) * still.width, (after[2 * row + 1] - still.y) * still.height];
        xx += a * x;
        xy += a * y;
        yx += b * x;
        yy += b * y;
      }
      // Σ ⟨turned, still⟩ is (xx + yy) cos + (xy − yx) sin of a rotation's angle; of a reflection's the signs of yy and yx change.
      const [rotated, mirrored] = [Math.hypot(xx + yy, xy - yx), Math.hypot(xx - yy, xy + yx)];
      const flip = mirrored > rotated ? -1 : 1;
      const angle = Math.atan2(xy - flip * yx, xx + flip * yy);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      const overlap = Math.max(rotated, mirrored) / (moved.size * still.size);
      return { matrix: [cos, sin, -flip * sin, flip * cos], residual: Tokviz.clamp(1 - overlap ** 2, 0, 1) };
    }

    // Of each depth, how its words come into the axes of the shown one, through all the depths between; null where a depth between
    // breaks the chain.
    matrices(shown) {
      if (!this.mapped.has(shown)) {
        const found = this.clouds.map(() => null);
        found[shown] = this.clouds[shown] && SAME;
        for (let depth = shown; depth > 0 && this.turns[depth]; depth -= 1) {
          found[depth - 1] = times(this.turns[depth].matrix, found[depth]);
        }
        for (let depth = shown + 1; depth < found.length && this.turns[depth]; depth += 1) {
          const [a, b, c, d] = this.turns[depth].matrix;
          found[depth] = times([a, c, b, d], found[depth - 1]);
        }
        this.mapped.set(shown, found);
      }
      return this.mapped.get(shown);
    }

    // Where a word of one depth stands in the plot of another, given that one's middle and size; null where that isn't defined.
    place(row, depth, shown) {
      const matrix = this.matrices(shown)[depth];
      if (!matrix) return null;
      const [from, to] = [this.clouds[depth], this.clouds[shown]];
      const places = this.view.at(depth);
      const grown = to.size / from.size;
      const [x, y] = [(places[2 * row] - from.x) * from.width * grown, (places[2 * row + 1] - from.y) * from.height * grown];
      const [a, b, c, d] = matrix;
      return [to.x + (x * a + y * c) / to.width, to.y + (x * b + y * d) / to.height];
    }

    // The first depth that is joined to the shown one, and what remains at each step between them.
    until(shown) {
      let first = shown;
      while (this.turns[first]) first -= 1;
      return { first, residuals: this.turns.slice(first + 1, shown + 1).map(({ residual }) => residual) };
    }
  }

  const times = ([a, b, c, d], [e, f, g, h]) => [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];

  const made = new WeakMap();

  // Made when it is first asked for, once per view.
  Explore.aligned = (view) => {
    if (!made.has(view)) made.set(view, new Aligned(view));
    return made.get(view);
  };
})();

// The trails of pinned words in a plot: where each was from the embedding on, in each depth's own axes or turned to fit the shown one.
(() => {
  const { svg } = Tokviz;
  // In layers: how many of the last steps are more than a pale line.
  const RECENT = 10;
  // Numbers along a trail: one each so many layers, at most so many, and so far from each other, in pixels.
  const EVERY = [1, 2, 5, 10, 20, 50, 100];
  const MOST_NUMBERS = 6;
  const APART = 24;
  // In widths of the plot: how far a reader may zoom out to see trails that leave it.
  const REACH = 8;

  class Trails {
    constructor(root) {
      this.root = root;
      this.kind = "own";
    }

    // In widths of the plot.
    get reach() {
      return this.kind === "aligned" ? REACH : 1;
    }

    setView(view) {
      this.view = view;
      this.forget();
    }

    // `kind` is "own" or "aligned".
    setKind(kind) {
      this.kind = kind;
      this.forget();
    }

    forget() {
      this.numbers = [];
      this.from = new Map();
      this.now = new Map();
      this.moveTo(this.depth);
    }

    // Turned trails move with the marks, because each depth has axes of its own.
    moveTo(depth) {
      this.depth = depth;
      // Two moves may come within a frame.
      if (this.now.size) this.from = this.now;
      this.to = new Map();
      this.now = new Map();
    }

    // `words` are rows with the pixels of their marks, `share` how much of a move is done, `pixels` turns places into pixels; the layers'
    // numbers stand where they were placed only while nothing moves.
    draw(words, share, pixels, isStill) {
      this.root.replaceChildren(...words.flatMap(([row, mark]) => {
        const points = this.placesOf(row, share).map((place) => place && pixels(place));
        points[this.depth] = mark;
        return this.paths(points, this.view.vocabulary.hueOf(row));
      }), ...(isStill ? this.numbers : []).map(({ row, text, x, y }) =>
        svg("text", { class: this.view.vocabulary.hueOf(row), x: x.toFixed(1), y: y.toFixed(1) }, text)));
    }

    // Labels of a few layers along a word's trail, at round numbers, where its steps are long enough to tell them apart.
    layers(row, mark, pixels) {
      const every = EVERY.find((each) => this.depth / each <= MOST_NUMBERS);
      const found = [];
      for (let depth = 1; depth < this.depth; depth += every) {
        const place = this.view.limits[depth] && this.place(row, depth);
        const at = place && pixels(place);
        const isApart = (from, by) => Math.hypot(from[0] - at[0], from[1] - at[1]) > by;
        // The word's name stands beside its mark.
        if (at && isApart(mark, 2 * APART) && found.every((each) => isApart(each.at, APART))) {
          found.push({ row, at, text: String(depth - 1), kind: "layer" });
        }
      }
      return found;
    }

    // Of each depth, where a word is drawn now; null where there is nothing to draw.
    placesOf(row, share) {
      if (!this.to.has(row)) this.to.set(row, this.view.limits.map((_, depth) => this.place(row, depth)));
      const from = this.from.get(row);
      const places = this.to.get(row).map((to, depth) => {
        const begin = from?.[depth];
        return to && begin ? [begin[0] + (to[0] - begin[0]) * share, begin[1] + (to[1] - begin[1]) * share] : to;
      });
      this.now.set(row, places);
      return places;
    }

    place(row, depth) {
      if (this.kind === "aligned") return Explore.aligned(this.view).place(row, depth, this.depth);
      return this.view.limits[depth] ? this.view.within(row, depth, this.depth) : null;
    }

    // Up to the shown depth: the last steps fade out backwards, earlier ones are a pale line. A depth without a place is a gap.
    paths(points, hue) {
      const { depth } = this;
      const steps = [...Array(depth).keys()].filter((from) => points[from] && points[from + 1]);
      const d = (from) => `M${text(points[from])}L${text(points[from + 1])}`;
      const pale = steps.filter((from) => from < depth - RECENT);
      const made = pale.length ? [svg("path", { class: hue, d: pale.map(d).join(""), opacity: 0.16 })] : [];
      for (const from of steps.slice(pale.length)) {
        made.push(svg("path", { class: hue, d: d(from), opacity: (0.9 - (0.74 * (depth - 1 - from)) / RECENT).toFixed(2) }));
      }
      return made;
    }
  }

  const text = ([left, top]) => `${left.toFixed(1)} ${top.toFixed(1)}`;

  Explore.Trails = Trails;
})();
