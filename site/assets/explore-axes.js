"use strict";

// The axes of a scatter plot: two lines, ticks at round values, and how much variance each component explains.
(() => {
  const { clamp, svg } = Tokviz;
  // In pixels for each tick.
  const TICK_WIDTH = 130;
  const TICK_HEIGHT = 90;

  // Round values within an axis, and their text.
  function ticks(low, high, most) {
    if (!(high > low)) return [];
    const values = d3.ticks(low, high, Math.max(2, most));
    const step = values.length > 1 ? values[1] - values[0] : high - low;
    const decimals = clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 12);
    const options = Math.max(Math.abs(low), Math.abs(high)) >= 1e6 || decimals > 5
      ? { notation: "scientific", maximumSignificantDigits: 3 }
      : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
    const format = new Intl.NumberFormat("en", options);
    return values.map((value) => [value, format.format(value).replace(/-/g, "−")]);
  }

  // The elements of both axes; without `limits` (there is no picture of this depth) they have no ticks.
  function axes({ limits, variance: [pc1, pc2], transform, left, top, width, height }) {
    const made = [svg("path", { class: "spine", d: `M${left - 0.5} ${top}V${top + height + 0.5}H${left + width}` })];
    if (limits) {
      const [x0, x1, y0, y1] = limits;
      const valueX = (pixel) => x0 + ((pixel - transform.x) / transform.k / width) * (x1 - x0);
      const valueY = (pixel) => y1 - ((pixel - transform.y) / transform.k / height) * (y1 - y0);
      made.push(...horizontal(valueX(0), valueX(width), { left, bottom: top + height, width }));
      made.push(...vertical(valueY(height), valueY(0), { left, bottom: top + height, height }));
    }
    made.push(svg("text", { x: left + width, y: top + height + 32, "text-anchor": "end" }, `PC1  ${Explore.percentText(pc1)}`));
    made.push(svg("text", { x: left, y: top - 7 }, `PC2  ${Explore.percentText(pc2)}`));
    return made;
  }

  function horizontal(low, high, { left, bottom, width }) {
    return ticks(low, high, width / TICK_WIDTH).flatMap(([value, text]) => {
      const x = Math.round(left + ((value - low) / (high - low)) * width) + 0.5;
      return [svg("path", { class: "spine", d: `M${x} ${bottom}v5` }), svg("text", { x, y: bottom + 17, "text-anchor": "middle" }, text)];
    });
  }

  function vertical(low, high, { left, bottom, height }) {
    return ticks(low, high, height / TICK_HEIGHT).flatMap(([value, text]) => {
      const y = Math.round(bottom - ((value - low) / (high - low)) * height) + 0.5;
      return [svg("path", { class: "spine", d: `M${left} ${y}h-5` }), svg("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, text)];
    });
  }

  Explore.axes = axes;
})();
