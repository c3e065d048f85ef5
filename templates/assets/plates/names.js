// needs: common.js
"use strict";

// Where the names of marks go: beside their marks, on no other name and no mark, with lines that hardly cross. Pure: numbers in,
// numbers out; in pixels.
//
// A place costs its distance, the marks under its line and the lines that it crosses. Names are set one after another, each at its
// cheapest free place, those with few places first; then each moves where that makes all of it cheaper, and may push others aside.
// tokviz/draw/labels.py does the same for the images.
Tokviz.names = (() => {
  // Distances from a mark to its name, beyond the least, in pixels.
  const RINGS = [0, 3, 6, 11, 17, 23, 28, 33, 43, 52, 66, 82, 100, 115];
  const ANGLES = [
    0, 180, 90, 270, 45, 315, 135, 225, 22, 338, 158, 202, 68, 112, 248, 292,
    11, 349, 169, 191, 34, 326, 146, 214, 56, 304, 124, 236, 79, 281, 101, 259,
  ];
  // Right of the mark reads best; then left, and the corners.
  const SIDE_COST = [
    0, 2, 4, 4, 2, 2, 3, 3, 2, 2, 3, 3, 5, 5, 5, 5,
    2, 2, 3, 3, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5,
  ];
  // From what distance on a line joins them.
  const LED_FROM = 7;
  // Costs, in half pixels of distance that one would accept to avoid them; to have no name is the worst.
  const LED = 12;
  const OVER_MARK = 20;
  const OVER_LINE = 120;
  const MISSING = 1200;
  // Bounds on the time that a dense plot takes.
  const ROUNDS = 3;
  const MOST_PUSHES = 700;

  // Of a pixel.
  const PARTS = 4;
  // By how much a mark may have been moved by that, in pixels.
  const ROUNDED = 1 / PARTS;
  // Between a mark and its name, in pixels; between two names, in parts: two in a row don't read as one.
  const GAP = 2;
  const ACROSS = 2.5 * PARTS;
  const DOWN = PARTS;
  // Names are looked up by the bands, of so many parts, in which they stand.
  const BAND = 32 * PARTS;

  const { clamp } = Tokviz;

  // All places of a name, the cheapest first: its distance, its direction, and by which share of its size it is moved.
  const TURNS = RINGS.flatMap((ring) => ANGLES.map((degrees, index) => {
    const angle = (degrees * Math.PI) / 180;
    const [across, down] = [Math.cos(angle), -Math.sin(angle)];
    const [byWidth, byHeight] = [across, down].map((along) => (clamp(1.5 * along, -1, 1) - 1) / 2);
    const isLed = ring >= LED_FROM;
    return { index, ring, across, down, byWidth, byHeight, isLed, cost: 2 * ring + SIDE_COST[index] + (isLed ? LED : 0) };
  })).sort((one, two) => one.cost - two.cost);
  const LEAST_LED = Math.min(...TURNS.filter(({ isLed }) => isLed).map(({ cost }) => cost));
  // A title's, about its place; half as many, as each is held against all marks.
  const TITLE_TURNS = TURNS.filter(({ index }) => index < ANGLES.length / 2)
    .map((turn) => ({ ...turn, byWidth: -0.5, byHeight: -0.5, isLed: false, cost: turn.ring })).sort((one, two) => one.cost - two.cost);
  const N_BESIDE = TURNS.filter(({ isLed }) => !isLed).length;

  // `x` and `y` are the marks' places, `shown` the rows whose marks are drawn, `widths` and `heights` the names' sizes; `area` has
  // left, top, right and bottom. `titles` has clouds by row, { rows }: a title is a name without a mark of its own, which stands about the
  // middle of its cloud's marks, and where the nearest one is of them.
  class Placement {
    constructor({ x, y, radius, shown, widths, heights, area, reach, titles = new Map() }) {
      // Whole numbers of small parts of a pixel, with which a browser is quick.
      const whole = (values, round = Math.round) => Int32Array.from(values, (each) => round(PARTS * each));
      [this.x, this.y] = [x, y].map((each) => whole(each));
      [this.widths, this.heights] = [widths, heights].map((each) => whole(each, Math.ceil));
      [this.left, this.top, this.right, this.bottom] = whole([area.left, area.top, area.right, area.bottom]);
      [this.radius] = whole([radius + ROUNDED], Math.ceil);
      this.titles = titles;
      this.turns = TURNS.filter(({ ring }) => ring === 0 || radius + GAP + ring <= reach);
      // From top to bottom, so that those near a name are found at once.
      this.marks = Int32Array.from(shown).sort((one, two) => y[one] - y[two]);
      this.levels = Int32Array.from(this.marks, (row) => this.y[row]);
      // Of each row, the places where its name covers no mark, as far as they were looked for.
      this.places = [];
      this.looked = new Int32Array(x.length);
      // The box of each row that has one, also by the bands in which it stands.
      this.boxes = new Array(x.length).fill(null);
      this.bands = Array.from({ length: Math.floor((this.bottom - this.top) / BAND) + 1 }, () => []);
      // What it costs that a row has no name.
      this.missing = new Int32Array(x.length).fill(MISSING);
      this.pushes = 0;
    }

    // --- places ---

    // The place of a row with a number, the cheapest being 0; undefined after the last.
    place(row, index) {
      const found = (this.places[row] ??= []);
      while (found.length <= index && this.looked[row] < this.turnsOf(row).length) this.look(row, found);
      return found[index];
    }

    turnsOf(row) {
      return this.titles.has(row) ? TITLE_TURNS : this.turns;
    }

    countBeside(row) {
      const found = (this.places[row] ??= []);
      while (this.looked[row] < Math.min(N_BESIDE, this.turns.length)) this.look(row, found);
      return found.length;
    }

    // Without patterns of arrays, which are slow until a browser has compiled this.
    look(row, found) {
      const isTitle = this.titles.has(row);
      const turn = (isTitle ? TITLE_TURNS : this.turns)[this.looked[row]];
      this.looked[row] += 1;
      const x = this.x[row];
      const y = this.y[row];
      const out = isTitle ? PARTS * turn.ring : this.radius + PARTS * (GAP + turn.ring);
      const left = Math.round(x + turn.across * out + turn.byWidth * this.widths[row]);
      const top = Math.round(y + turn.down * out + turn.byHeight * this.heights[row]);
      const right = left + this.widths[row];
      const bottom = top + this.heights[row];
      if (!this.isClear(left, top, right, bottom) || (isTitle && !this.isHome(row, (left + right) / 2, (top + bottom) / 2))) return;
      // Up to where name and line, with what is kept free.
      const north = Math.min(top, y);
      const south = Math.max(bottom, y) + DOWN;
      found.push({
        row, left, top, right, bottom, led: turn.isLed, x, y, endX: clamp(x, left, right), endY: clamp(y, top, bottom),
        cost: turn.cost, marked: turn.isLed ? -1 : turn.cost,
        west: Math.min(left, x), east: Math.max(right, x) + ACROSS, north, south, blocker: null, first: this.bandOf(north), last: this.bandOf(south),
      });
    }

    isClear(left, top, right, bottom) {
      const { radius, x, marks, levels } = this;
      if (left < this.left || top < this.top || right > this.right || bottom > this.bottom) return false;
      for (let at = this.firstFrom(top - radius); at < marks.length && levels[at] < bottom + radius; at += 1) {
        if (x[marks[at]] > left - radius && x[marks[at]] < right + radius) return false;
      }
      return true;
    }

    // Whether the mark nearest to a title's middle is of its cloud.
    isHome(row, left, top) {
      let [nearest, least] = [null, Infinity];
      for (const other of this.marks) {
        const distance = (this.x[other] - left) ** 2 + (this.y[other] - top) ** 2;
        if (distance < least) [nearest, least] = [other, distance];
      }
      return this.titles.get(row).rows.includes(nearest);
    }

    // The index of the first mark that is not above a level.
    firstFrom(level) {
      let [low, high] = [0, this.levels.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (this.levels[middle] < level) low = middle + 1;
        else high = middle;
      }
      return low;
    }

    // A box's cost with the marks under its line.
    ownCost(box) {
      if (box.marked >= 0) return box.marked;
      box.marked = box.cost;
      const { x, y, radius, marks, levels } = this;
      const end = Math.max(box.y, box.endY) + radius;
      for (let at = this.firstFrom(Math.min(box.y, box.endY) - radius); at < marks.length && levels[at] < end; at += 1) {
        const row = marks[at];
        if (row !== box.row && distance2(x[row], y[row], box) < radius * radius) box.marked += OVER_MARK;
      }
      return box.marked;
    }

    // --- beside each other ---

    put(box) {
      this.boxes[box.row] = box;
      for (let at = box.first; at <= box.last; at += 1) this.bands[at].push(box);
    }

    take(box) {
      this.boxes[box.row] = null;
      for (let at = box.first; at <= box.last; at += 1) {
        const band = this.bands[at];
        band[band.indexOf(box)] = band.at(-1);
        band.pop();
      }
    }

    bandOf(level) {
      return clamp(Math.floor((level - this.top) / BAND), 0, this.bands.length - 1);
    }

    // What a box costs beside those that are placed, infinite where one is in its way; or as much as `most`.
    costOf(box, most = Infinity) {
      let { cost } = box;
      for (let at = box.first; at <= box.last; at += 1) {
        for (const other of this.bands[at]) {
          // One that stands in several bands is met once.
          if (at !== Math.max(box.first, other.first) || isApart(box, other)) continue;
          if (isBlocked(box, other)) {
            box.blocker = other;
            return Infinity;
          }
          if (areCrossed(box, other)) cost += OVER_LINE;
          if (cost >= most) return cost;
        }
      }
      // Looked for under the line only where the rest doesn't cost too much.
      return cost >= most ? cost : cost - box.cost + this.ownCost(box);
    }

    // The box of a row that costs least, if it costs less than `most`, or null; and its cost.
    best(row, most = this.missing[row]) {
      let [best, least] = [null, most];
      for (let index = 0; ; index += 1) {
        const box = this.place(row, index);
        if (!box || box.cost >= least) break;
        // The name that was in its way before mostly still is.
        if (box.blocker && this.boxes[box.blocker.row] === box.blocker) continue;
        const cost = this.costOf(box, least);
        if (cost < least) [best, least] = [box, cost];
      }
      return [best, least];
    }

    // Puts a name where it costs least, if it costs less than `most`.
    set(row, most = this.missing[row]) {
      const [box] = this.best(row, most);
      if (box) this.put(box);
      return box;
    }

    // Places names one after another until `most` have a place.
    inTurn(rows, most) {
      const found = [];
      for (const row of rows) {
        if (found.length === most) break;
        const box = this.set(row);
        if (box) found.push(inPixels(box));
      }
      return found;
    }

    // Moves a name where all costs less: to a free place, or to one where a single other is in the way, which then goes elsewhere.
    improve(row, worst) {
      const before = this.boxes[row];
      if (before) this.take(before);
      const cost = before ? this.costOf(before) : this.missing[row];
      const [box, least] = this.best(row, cost);
      if (least >= worst && this.push(row, least)) return true;
      if (box ?? before) this.put(box ?? before);
      return box !== null;
    }

    push(row, cost) {
      for (let index = 0; this.pushes < MOST_PUSHES; index += 1) {
        const box = this.place(row, index);
        if (!box || box.cost >= cost) return false;
        const other = this.ownCost(box) < cost ? this.onlyOneInTheWay(box) : null;
        if (other && this.pushAside(other, box, cost)) return true;
      }
      return false;
    }

    // Sets a box where another name is, which goes elsewhere or is left out, if that costs less than `cost`, the name's without it.
    pushAside(other, box, cost) {
      this.pushes += 1;
      this.take(other);
      const gain = cost + this.costOf(other) - this.costOf(box);
      this.put(box);
      const [moved] = this.best(other.row, Math.min(this.missing[other.row], gain));
      if (moved) this.put(moved);
      if (moved || gain > this.missing[other.row]) return true;
      this.take(box);
      this.put(other);
      return false;
    }

    // The one name that is in the way of a box or its line; null where there are others, or none.
    onlyOneInTheWay(box) {
      let found = null;
      for (let at = box.first; at <= box.last; at += 1) {
        for (const other of this.bands[at]) {
          if (other === found || isApart(box, other) || !isBlocked(box, other)) continue;
          if (found) return null;
          found = other;
        }
      }
      return found;
    }

    // Places all names, a step each: `first` ones, which hardly stay without a name; then those with the fewest places beside their
    // marks, beside them where they can.
    *steps(first, others) {
      const free = new Map(others.map((row) => [row, this.countBeside(row)]));
      const order = [...first, ...[...others].sort((one, two) => free.get(one) - free.get(two))];
      for (const row of first) {
        this.missing[row] = 2 * MISSING;
        this.set(row);
      }
      for (const most of [LEAST_LED, MISSING]) {
        for (const row of order) {
          if (!this.boxes[row]) this.set(row, most);
          yield;
        }
      }
      for (let round = 0, isBetter = true; round < ROUNDS && isBetter; round += 1) {
        isBetter = false;
        for (const row of order) {
          if (this.improve(row, round === 0 ? MISSING : OVER_LINE)) isBetter = true;
          yield;
        }
      }
      return this.boxes.filter(Boolean).map(inPixels);
    }
  }

  const inPixels = ({ row, led, ...box }) =>
    ({ row, led, ...Object.fromEntries(["left", "top", "right", "bottom", "x", "y", "endX", "endY"].map((name) => [name, box[name] / PARTS])) });

  const isApart = (one, two) => one.west >= two.east || two.west >= one.east || one.north >= two.south || two.north >= one.south;

  const overlaps = (one, two) => one.left < two.right + ACROSS && two.left < one.right + ACROSS
    && one.top < two.bottom + DOWN && two.top < one.bottom + DOWN;

  // Whether a name or its line is in the way of another name.
  const isBlocked = (one, two) => overlaps(one, two) || (one.led && passes(one, two)) || (two.led && passes(two, one));

  // Whether the line of one name meets the box of another: on no axis, and not across the line, is there a gap between them.
  function passes({ x, y, endX, endY }, { left, top, right, bottom }) {
    const [awayX, awayY] = [left + right - x - endX, top + bottom - y - endY];
    const [alongX, alongY] = [endX - x, endY - y];
    const [across, down] = [right - left, bottom - top];
    if (Math.abs(awayX) >= Math.abs(alongX) + across || Math.abs(awayY) >= Math.abs(alongY) + down) return false;
    return Math.abs(alongX * awayY - alongY * awayX) < Math.abs(alongX) * down + Math.abs(alongY) * across;
  }

  const side = (line, x, y) => (line.endX - line.x) * (y - line.y) - (line.endY - line.y) * (x - line.x);
  const straddles = (one, two) => side(two, one.x, one.y) * side(two, one.endX, one.endY) < 0;
  const areCrossed = (one, two) => one.led && two.led && straddles(one, two) && straddles(two, one);

  // The squared distance of a point to a line.
  function distance2(x, y, line) {
    const [alongX, alongY] = [line.endX - line.x, line.endY - line.y];
    const [awayX, awayY] = [x - line.x, y - line.y];
    const share = clamp((awayX * alongX + awayY * alongY) / (alongX * alongX + alongY * alongY), 0, 1);
    return (awayX - share * alongX) ** 2 + (awayY - share * alongY) ** 2;
  }

  // The boxes of the names that fit, { row, left, top, right, bottom, led, x, y, endX, endY }: of all rows, in steps; or of rows in
  // their order, at most so many.
  const inSteps = (picture, first, others) => new Placement(picture).steps(first, others);
  const inTurn = (picture, rows, most = Infinity) => new Placement(picture).inTurn(rows, most);

  return { inSteps, inTurn };
})();
