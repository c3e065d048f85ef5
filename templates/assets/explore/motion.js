// needs: common.js explore/data.js plates/movement.js
"use strict";

// Words on their way from where they are to where they are at another depth, as plates move them: in a step to the next depth the cloud as a
// whole may turn or be reflected.
(() => {
  // In widths or heights of the plot: how far beyond it words come from. Where they are is shown at its margin.
  const BEYOND = 0.05;

  class Motion {
    // `from` and `to` are shares of the plot's width and height, y from below.
    constructor(from, to, { width, height }, turns) {
      Object.assign(this, { to, width, height });
      [this.begin, this.end] = [from, to].map((places) => this.pixels(places));
      this.turn = turns ? Tokviz.movement.turnBetween(this.begin, this.end) : { angle: 0, flip: 1 };
    }

    pixels(places) {
      const within = (at) => Tokviz.clamp(places[at], -BEYOND, 1 + BEYOND);
      const rows = Array.from({ length: places.length / 2 }, (_, row) => 2 * row);
      return {
        x: Float64Array.from(rows, (at) => within(at) * this.width), y: Float64Array.from(rows, (at) => (1 - within(at + 1)) * this.height),
      };
    }

    // Fills `places`, 2 numbers a word, with where they are at a share of the way.
    fill(places, share) {
      if (share === 1) {
        places.set(this.to);
        return;
      }
      const { x, y } = Tokviz.movement.between(this.begin, this.end, this.turn, share);
      for (let row = 0; row < x.length; row += 1) {
        places[2 * row] = x[row] / this.width;
        places[2 * row + 1] = 1 - y[row] / this.height;
      }
    }
  }

  Explore.Motion = Motion;
})();
