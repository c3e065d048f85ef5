"use strict";

// The trails of pinned words in a plot: where each was from the embedding on, in each depth's own axes or turned to fit the shown one.
(() => {
  const { svg } = Tokviz;
  // In layers: how many of the last steps are more than a pale line.
  const RECENT = 10;
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

    // `words` are rows with the pixels of their marks, `share` how much of a move is done, `pixels` turns places into pixels.
    draw(words, share, pixels) {
      this.root.replaceChildren(...words.flatMap(([row, mark]) => {
        const points = this.placesOf(row, share).map((place) => place && pixels(place));
        points[this.depth] = mark;
        return this.paths(points, Explore.hueOf(this.view.vocabulary.memberships[row][0]));
      }));
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
      return this.view.limits[depth] ? this.view.at(depth).subarray(2 * row, 2 * row + 2) : null;
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
