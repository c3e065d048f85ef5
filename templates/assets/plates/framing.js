// needs: common.js explore/data.js
"use strict";

// How the axes of a plot lie, as in the images: both on one scale, and where the words' span along one axis is very short, the true
// plot as a band and the same words with the short axis magnified. Pure: numbers in, numbers out; in pixels.
Tokviz.framing = (() => {
  // The images have the same: see tokviz/records/axes.py.
  const MARGINS = [0.06, 0.05];
  const DIVIDED_BELOW = 0.25;
  const BAND = 0.25;
  // An axis magnified by less isn't called so: its factor would be ×1.0.
  const LEAST_FACTOR = 1.05;
  // Names stay closer to their marks where words lie close along one axis.
  const FLAT_BELOW = 2 * DIVIDED_BELOW;

  // The span of each axis; none where all values are equal.
  const spansOf = ([, across, , up, flat = 0]) => [flat & 1 ? 0 : across, flat & 2 ? 0 : up];

  // The shorter span as a share of the longer one.
  function ratioOf(extents) {
    const spans = spansOf(extents);
    return Math.min(...spans) / (Math.max(...spans) || 1);
  }

  const innerOf = ({ left, top, right, bottom }) => [(right - left) / (1 + 2 * MARGINS[0]), (bottom - top) / (1 + 2 * MARGINS[1])];

  // An area with axes of its own, the words' extents in its middle; `units` are the pixels for one of PC1 and of PC2.
  class Pane {
    constructor(area, extents, units) {
      const [low1, span1, low2, span2] = extents;
      this.area = area;
      this.units = units;
      this.middle = [low1 + span1 / 2, low2 + span2 / 2];
      // Pixels from the least to the greatest value.
      this.sizes = [span1 * units[0], span2 * units[1]];
      this.centre = [(area.left + area.right) / 2, (area.top + area.bottom) / 2];
    }

    // Of a word's shares of the extents, 0 to 1.
    place(across, up) {
      return [this.centre[0] + (across - 0.5) * this.sizes[0], this.centre[1] - (up - 0.5) * this.sizes[1]];
    }

    // PC1 and PC2 at the edges: left, right, low, high.
    get limits() {
      const { area, middle: [x, y], units } = this;
      const [across, up] = [(area.right - area.left) / units[0] / 2, (area.bottom - area.top) / units[1] / 2];
      return [x - across, x + across, y - up, y + up];
    }
  }

  function truePane(area, extents) {
    const inner = innerOf(area);
    const fitted = spansOf(extents).map((span, axis) => (span ? inner[axis] / span : Infinity));
    const least = Math.min(...fitted);
    const unit = least < Infinity ? least : Math.min(...inner) / Math.max(extents[1], extents[3]);
    return new Pane(area, extents, [unit, unit]);
  }

  // The parts of a divided area: the band above, or beside where PC1 is the short axis.
  function partsOf(area, short, gap) {
    const { left, top, right, bottom } = area;
    if (short === 1) {
      const middle = top + BAND * (bottom - top);
      return [{ ...area, bottom: middle - gap }, { ...area, top: middle }];
    }
    const middle = left + BAND * (right - left);
    return [{ ...area, right: middle - gap }, { ...area, left: middle }];
  }

  // Whether each axis of every plot is stretched to it, as the author chose.
  const fillsPlots = () => document.documentElement.dataset.aspect === "fill";

  // The panes of a plot: `main`, where words are named, and `band`; `magnified` is the axis that the main one magnifies, or null,
  // `factor` how many times as large it is drawn. `mode` is "both", or one of both alone: "true" or "magnified". Report-wide, each
  // axis may be stretched to the plot instead: `fills`.
  function framing(extents, area, gap, mode = "both", fills = fillsPlots()) {
    const spans = spansOf(extents);
    const short = spans[1] <= spans[0] ? 1 : 0;
    const isDivided = spans[short] > 0 && spans[short] < DIVIDED_BELOW * spans[1 - short];
    const stretched = () => {
      const inner = innerOf(area);
      const units = inner.map((length, axis) => length / spans[axis]);
      return made(new Pane(area, extents, units), null, units[1] >= units[0] ? 1 : 0);
    };
    if (fills && spans[short] > 0) return stretched();
    if (!isDivided || mode === "true") return made(truePane(area, extents), null, null);
    if (mode === "magnified") return stretched();
    const [upper, lower] = partsOf(area, short, gap);
    const band = truePane(upper, extents);
    const units = [...band.units];
    units[short] = innerOf(lower)[short] / spans[short];
    return made(new Pane(lower, extents, units), band, short);
  }

  const made = (main, band, magnified) =>
    ({ main, band, magnified, factor: magnified === null ? 1 : main.units[magnified] / main.units[1 - magnified] });

  // `×43`, `×2.7`
  const factorText = (factor) =>
    `×${factor >= 9.95 ? Math.round(factor).toLocaleString("en") : factor.toFixed(1)}`;

  // Above a band.
  const TRUE_SCALE = "PC1 and PC2 on one scale";

  // `PC2 ×43 · 0.2 %`: by how much an axis is magnified, and its share of the variance; `names` where axes have others.
  const axisName = (frame, axis, variance, names = ["PC1", "PC2"]) =>
    `${names[axis]}${frame?.magnified === axis && frame.factor >= LEAST_FACTOR ? ` ${factorText(frame.factor)} · ` : "\u2002"}${Explore.percentText(variance[axis])}`;

  // Whether a plot is divided, so that there is something to choose.
  const isDivided = (extents) => {
    const ratio = ratioOf(extents);
    return !fillsPlots() && ratio > 0 && ratio < DIVIDED_BELOW;
  };

  return { framing, truePane, ratioOf, axisName, isDivided, FLAT_BELOW, TRUE_SCALE };
})();
