"use strict";

// Names beside marks: as many as fit without touching a mark or each other. A grid of small cells says what is taken.
(() => {
  const CELL = 2;
  const FONT = "12px 'Source Sans', 'Sans fallback', sans-serif";
  const HEIGHT = 12;
  const PADDING = 1.5;
  const ASKEW = 5;
  const LONGEST = 24;
  // Where marks are dense most names find no room; so many are tried.
  const MOST_TRIED = 1200;
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

  // Where a name may stand about its mark: beside it, above and below, then askew.
  function places(x, y, radius, width) {
    const gap = radius + PADDING + CELL;
    const [right, left, middle] = [x + gap, x - gap - width, x - width / 2];
    const [level, over, under] = [y - HEIGHT / 2, y - radius - CELL - HEIGHT, y + radius + CELL];
    return [
      [right, level], [left, level], [middle, over], [middle, under],
      [right, level - ASKEW], [right, level + ASKEW], [left, level - ASKEW], [left, level + ASKEW],
    ];
  }

  // The left end and baseline of a name that fits, its room taken; null where there is none.
  function placed({ row, text, grown = 1 }, { x, y, radius, width, height }, taken) {
    const length = widthOf(text) * grown;
    for (const [left, top] of places(x[row], y[row], radius, length)) {
      const [right, bottom] = [left + length, top + HEIGHT];
      if (left < 2 || top < 1 || right > width - 2 || bottom > height - 1) continue;
      if (!taken.isFree(left - PADDING, top, right + PADDING, bottom)) continue;
      taken.take(left - PADDING, top, right + PADDING, bottom);
      return { row, text, x: left, y: top + HEIGHT - 3 };
    }
    return null;
  }

  // The names that are asked for, in their order: [{ row, text, kind }]; neighbours give way, the others are always there.
  function placeNames(wanted, picture, taken = new Taken(picture.width, picture.height)) {
    const { x, y, radius, width } = picture;
    for (const { row } of wanted) taken.take(x[row] - radius, y[row] - radius, x[row] + radius, y[row] + radius);
    return wanted.flatMap(({ row, text, kind }) => {
      const found = placed({ row, text, grown: kind === "current" ? 1.25 : 1.06 }, picture, taken);
      if (!found && kind === "near") return [];
      const left = x[row] + radius + 4;
      const fits = left + widthOf(text) * 1.25 < width - 2;
      return [{ kind, ...(found ?? { row, text, x: fits ? left : Math.max(2, 2 * x[row] - left - widthOf(text) * 1.25), y: y[row] + 4 }) }];
    });
  }

  // As many names as fit beside those that are asked for; rows that come first have the first choice.
  function placeLabels({ wanted, rows, seen, textOf, most, ...picture }) {
    const { x, y, radius, width, height } = picture;
    const taken = new Taken(width, height);
    const inside = (row) => x[row] >= 0 && y[row] >= 0 && x[row] <= width && y[row] <= height;
    placeNames(wanted, picture, taken);
    const done = new Set(wanted.map(({ row }) => row));
    for (let row = 0; row < seen.length; row += 1) {
      if (seen[row] && inside(row)) taken.take(x[row] - radius, y[row] - radius, x[row] + radius, y[row] + radius);
    }
    const found = [];
    let tried = 0;
    for (const row of rows) {
      if (found.length === most || tried === MOST_TRIED) break;
      if (!seen[row] || done.has(row) || !inside(row)) continue;
      tried += 1;
      const label = placed({ row, text: textOf(row) }, picture, taken);
      if (label) found.push(label);
    }
    return found;
  }

  Object.assign(Explore, { placeLabels, placeNames, shortened });
})();
