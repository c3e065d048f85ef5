"use strict";

// Names beside marks: as many as fit without touching a mark or each other. A grid of small cells says what is taken.
(() => {
  const CELL = 4;
  const FONT = "12px 'Source Sans', 'Sans fallback', sans-serif";
  const HEIGHT = 13;
  const LONGEST = 24;
  const widths = new Map();
  const pen = document.createElement("canvas").getContext("2d");

  const shortened = (word) => (word.length > LONGEST ? `${word.slice(0, LONGEST - 1)}…` : word);

  function widthOf(text) {
    if (!widths.has(text)) {
      pen.font = FONT;
      widths.set(text, pen.measureText(text).width);
    }
    return widths.get(text);
  }
  document.fonts?.ready.then(() => widths.clear());

  class Taken {
    constructor(width, height) {
      this.columns = Math.ceil(width / CELL);
      this.rows = Math.ceil(height / CELL);
      this.cells = new Uint8Array(this.columns * this.rows);
    }

    span(left, top, right, bottom) {
      return [
        Math.max(0, Math.floor(left / CELL)), Math.max(0, Math.floor(top / CELL)),
        Math.min(this.columns - 1, Math.floor(right / CELL)), Math.min(this.rows - 1, Math.floor(bottom / CELL)),
      ];
    }

    isFree(...box) {
      const [left, top, right, bottom] = this.span(...box);
      for (let row = top; row <= bottom; row += 1) {
        for (let column = left; column <= right; column += 1) {
          if (this.cells[row * this.columns + column]) return false;
        }
      }
      return true;
    }

    take(...box) {
      const [left, top, right, bottom] = this.span(...box);
      for (let row = top; row <= bottom; row += 1) {
        this.cells.fill(1, row * this.columns + left, row * this.columns + right + 1);
      }
    }
  }

  // Where a name may stand about its mark: beside it, then above and below.
  function places(x, y, radius, width) {
    const gap = radius + 3;
    return [
      [x + gap, y - HEIGHT / 2], [x - gap - width, y - HEIGHT / 2],
      [x - width / 2, y - gap - HEIGHT + 2], [x - width / 2, y + gap - 2],
    ];
  }

  // Left ends and baselines of the names that fit: [{ row, text, x, y }]. Rows that come first have the first choice.
  function placeLabels({ rows, x, y, seen, words, radius, width, height, most }) {
    const taken = new Taken(width, height);
    const inside = (row) => x[row] >= 0 && y[row] >= 0 && x[row] <= width && y[row] <= height;
    for (let row = 0; row < seen.length; row += 1) {
      if (seen[row] && inside(row)) taken.take(x[row] - radius, y[row] - radius, x[row] + radius, y[row] + radius);
    }
    const placed = [];
    for (const row of rows) {
      if (placed.length === most) break;
      if (!seen[row] || !inside(row)) continue;
      const text = shortened(words[row]);
      const length = widthOf(text);
      for (const [left, top] of places(x[row], y[row], radius, length)) {
        const [right, bottom] = [left + length, top + HEIGHT];
        if (left < 2 || top < 1 || right > width - 2 || bottom > height - 1) continue;
        if (!taken.isFree(left - 2, top, right + 2, bottom)) continue;
        taken.take(left - 2, top, right + 2, bottom);
        placed.push({ row, text, x: left, y: top + HEIGHT - 3 });
        break;
      }
    }
    return placed;
  }

  // A name that must be seen: to the right of its mark, or to the left where there is no room.
  function besides(text, x, y, radius, width) {
    const length = widthOf(text) * 1.06;
    const left = x + radius + 4 + length < width - 2 ? x + radius + 4 : Math.max(2, x - radius - 4 - length);
    return { x: left, y: y + 4 };
  }

  Object.assign(Explore, { placeLabels, besides, shortened });
})();
