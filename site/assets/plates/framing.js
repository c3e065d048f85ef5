"use strict";
Tokviz.framing = (() => {
const MARGINS = [0.06, 0.05];
const DIVIDED_BELOW = 0.25;
const BAND = 0.25;
const LEAST_FACTOR = 1.05;
const FLAT_BELOW = 2 * DIVIDED_BELOW;
const spansOf = ([, across, , up, flat = 0]) => [flat & 1 ? 0 : across, flat & 2 ? 0 : up];
function ratioOf(extents) {
const spans = spansOf(extents);
return Math.min(...spans) / (Math.max(...spans) || 1);
}
const innerOf = ({ left, top, right, bottom }) => [(right - left) / (1 + 2 * MARGINS[0]), (bottom - top) / (1 + 2 * MARGINS[1])];
class Pane {
constructor(area, extents, units) {
const [low1, span1, low2, span2] = extents;
this.area = area;
this.units = units;
this.middle = [low1 + span1 / 2, low2 + span2 / 2];
this.sizes = [span1 * units[0], span2 * units[1]];
this.centre = [(area.left + area.right) / 2, (area.top + area.bottom) / 2];
}
place(across, up) {
return [this.centre[0] + (across - 0.5) * this.sizes[0], this.centre[1] - (up - 0.5) * this.sizes[1]];
}
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
function partsOf(area, short, gap) {
const { left, top, right, bottom } = area;
if (short === 1) {
const middle = top + BAND * (bottom - top);
return [{ ...area, bottom: middle - gap }, { ...area, top: middle }];
}
const middle = left + BAND * (right - left);
return [{ ...area, right: middle - gap }, { ...area, left: middle }];
}
const fillsPlots = () => document.documentElement.dataset.aspect === "fill";
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
const factorText = (factor) =>
`×${factor >= 9.95 ? Math.round(factor).toLocaleString("en") : factor.toFixed(1)}`;
const TRUE_SCALE = "PC1 and PC2 on one scale";
const axisName = (frame, axis, variance, names = ["PC1", "PC2"]) =>
`${names[axis]}${frame?.magnified === axis && frame.factor >= LEAST_FACTOR ? ` ${factorText(frame.factor)} · ` : "\u2002"}${Explore.percentText(variance[axis])}`;
const isDivided = (extents) => {
const ratio = ratioOf(extents);
return !fillsPlots() && ratio > 0 && ratio < DIVIDED_BELOW;
};
return { framing, truePane, ratioOf, axisName, isDivided, FLAT_BELOW, TRUE_SCALE };
})();
