"use strict";

// Pairs of words and words in an order, in the layer that the carousel shows: lines between pairs, a path along an order.
(() => {
  const { svg } = Tokviz;
  const WIDTH = 560;
  const HEIGHT = 440;
  const MARGIN = { left: 30, right: 90, top: 36, bottom: 24 };
  const RADIUS = 4;
  // Colours of categories, as plate.css or the report's own styles have them.
  const N_HUES = Number(document.documentElement.dataset.hues ?? 9);
  const MOST_NAMED = 40; // Of more words, those have names that leave room for each other.
  const CROSSED = 1; // Pixels of area that one of a line through a name counts as.
  // Where a name may stand about its mark: beside it, above, below.
  const SIDES = [[8, 4, "start"], [-8, 4, "end"], [0, -8, "middle"], [0, 17, "middle"], [7, -5, "start"], [7, 13, "start"], [-7, -5, "end"], [-7, 13, "end"]];
  const section = document.querySelector("[data-related]");
  const viewer = document.querySelector("[data-viewer]");
  const plots = [...section.querySelectorAll("[data-plot]")];

  const pointsOf = (flat) => Array.from({ length: flat.length / 2 }, (_, row) => [flat[2 * row], flat[2 * row + 1]]);

  // Lower and upper ends of both axes; as the image without scripts has them, but for the shape of the window.
  function frame(kind, points) {
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const [low, high] = [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]];
    if (kind === "line") return [[Math.min(low[0], low[1]), low[1]], [Math.max(high[0], high[1]), high[1]]];
    if (kind === "circle") {
      const half = Math.max(1, ...xs.map(Math.abs), ...ys.map(Math.abs));
      return [[-half, -half], [half, half]];
    }
    return [low, high];
  }

  // Window → places in the drawing; pairs and circles keep the ratio of their axes.
  function scaleOf(kind, points) {
    const [low, high] = frame(kind, points);
    const room = [WIDTH - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
    const spans = [0, 1].map((axis) => high[axis] - low[axis] || 1);
    const own = spans.map((span, axis) => room[axis] / span);
    const units = kind === "line" ? own : own.map(() => Math.min(...own));
    const middle = [0, 1].map((axis) => (low[axis] + high[axis]) / 2);
    const centre = [MARGIN.left + room[0] / 2, MARGIN.top + room[1] / 2];
    const place = ([x, y]) => [centre[0] + (x - middle[0]) * units[0], centre[1] - (y - middle[1]) * units[1]];
    return { place, unit: units[0], low, high };
  }

  const at = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;

  // Both ends of each line.
  function lines(kind, places) {
    const all = places.map((place, row) => [place, places[(row + 1) % places.length]]);
    if (kind === "pairs") return all.filter((_, row) => row % 2 === 0);
    return kind === "circle" ? all : all.slice(0, -1);
  }

  function drawn(kind, places, joined) {
    if (kind === "pairs") return joined.map((ends) => `M${ends.map(at).join("L")}`).join("");
    return `M${places.map(at).join("L")}${kind === "circle" ? "Z" : ""}`;
  }

  function shouldBe(kind, { place, unit, low, high }) {
    if (kind === "circle") {
      const [cx, cy] = place([0, 0]);
      return [svg("circle", { class: "related-ring", cx, cy, r: unit })];
    }
    if (kind === "line") return [svg("path", { class: "related-ring", d: `M${at(place([low[1], low[1]]))}L${at(place([high[1], high[1]]))}` })];
    return [];
  }

  const overlap = (one, other) =>
    Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left))
    * Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));

  // The length of a line within a box.
  function lengthWithin([[x1, y1], [x2, y2]], { left, right, top, bottom }) {
    let [from, to] = [0, 1];
    for (const [start, step, low, high] of [[x1, x2 - x1, left, right], [y1, y2 - y1, top, bottom]]) {
      if (step === 0 && (start < low || start > high)) return 0;
      if (step === 0) continue;
      const ends = [(low - start) / step, (high - start) / step];
      [from, to] = [Math.max(from, Math.min(...ends)), Math.min(to, Math.max(...ends))];
    }
    return Math.max(0, to - from) * Math.hypot(x2 - x1, y2 - y1);
  }

  // The side of each name where it covers least of marks, lines and other names, and stays within the drawing.
  function placeNames(drawing, words, places, joined) {
    const taken = places.map(([x, y]) => ({ left: x - RADIUS, right: x + RADIUS, top: y - RADIUS, bottom: y + RADIUS }));
    const texts = words.map((word) => svg("text", {}, word));
    drawing.append(...texts);
    const widths = texts.map((text) => text.getComputedTextLength());
    const line = texts.length ? Number.parseFloat(getComputedStyle(texts[0]).fontSize) + 1 : 0;
    const layer = drawing.querySelector(".related-where").getBBox();
    taken.push({ left: layer.x, right: layer.x + layer.width, top: layer.y, bottom: layer.y + layer.height });
    texts.forEach((text, row) => {
      const width = widths[row];
      const boxes = SIDES.map(([dx, dy, anchor]) => {
        const x = places[row][0] + dx;
        const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
        const y = places[row][1] + dy;
        const box = { left, right: left + width, top: y - line + 3, bottom: y + 3, x, y, anchor };
        const outside = Math.max(0, -left) + Math.max(0, left + width - WIDTH) + Math.max(0, -box.top) + Math.max(0, box.bottom - HEIGHT);
        const covered = taken.reduce((sum, other) => sum + overlap(box, other), 0);
        const crossed = joined.reduce((sum, each) => sum + lengthWithin(each, box), 0);
        return { ...box, covered, cost: outside * line + covered + CROSSED * crossed };
      });
      const best = boxes.reduce((one, other) => (other.cost < one.cost ? other : one));
      if (words.length > MOST_NAMED && best.covered > 0) {
        text.remove();
        return;
      }
      taken.push(best);
      for (const [name, value] of [["x", best.x.toFixed(1)], ["y", best.y.toFixed(1)], ["text-anchor", best.anchor]]) text.setAttribute(name, value);
    });
    return texts;
  }

  function draw(plot, { kind, words, hues, places: every }, depth, where) {
    plot.closest("figure").toggleAttribute("data-unmeasured", every.every((each) => !each));
    const flat = every[depth];
    if (!flat) {
      plot.replaceChildren(`Not defined at ${Tokviz.depthName(depth).replace("embedding", "the embedding")}.`);
      return;
    }
    const points = pointsOf(flat);
    const scale = scaleOf(kind, points);
    const places = points.map(scale.place);
    const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${plot.dataset.label}, ${where}` });
    plot.replaceChildren(drawing);
    const joined = lines(kind, places);
    const marks = places.map(([cx, cy], row) => {
      const mark = svg("circle", {
        class: `hue-${hues[row] % N_HUES} ${kind === "pairs" && row % 2 === 0 ? "hollow" : "full"}`, cx: cx.toFixed(1), cy: cy.toFixed(1), r: RADIUS,
      });
      mark.append(svg("title", {}, words[row]));
      return mark;
    });
    drawing.append(svg("text", { class: "related-where", x: 8, y: 16 }, where), ...shouldBe(kind, scale),
      svg("path", { class: "related-lines", d: drawn(kind, places, joined) }), ...marks);
    placeNames(drawing, words, places, joined).forEach((text, row) => text.setAttribute("class", `hue-${hues[row] % N_HUES} related-name`));
  }

  let latest = 0;

  async function show(depth) {
    const { context } = viewer.querySelector(".panel[data-current]").dataset;
    const turn = ++latest;
    const key = `${section.dataset.slug}/${context} relations`;
    try {
      const { items } = await Tokviz.load(key, `${section.dataset.related}/${encodeURIComponent(context)}/relations.js`);
      if (turn !== latest) return;
      const label = section.querySelector(`[data-context="${CSS.escape(context)}"]`)?.dataset.label ?? context;
      for (const plot of plots) draw(plot, items[Number(plot.dataset.plot)], depth, `${Tokviz.depthName(depth)}, ${label}`);
    } catch (error) {
      for (const plot of plots) plot.replaceChildren(error.message);
    }
  }

  // The layer may change many times before the section is seen.
  let depth = Number(viewer.querySelector(".panel[data-current] input[type=range]").value);
  let isSeen = false;
  viewer.addEventListener("shown", ({ detail }) => {
    depth = detail.depth;
    if (isSeen) show(depth);
  });
  new IntersectionObserver((entries) => {
    isSeen = entries.at(-1).isIntersecting;
    if (isSeen) show(depth);
  }, { rootMargin: "200px" }).observe(section);
})();
