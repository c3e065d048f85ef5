"use strict";

// A plate so small that no word on it could be read: its marks alone, in the same colours.
Tokviz.plateSmall = (() => {
  const { svg, plate, plateLayout } = Tokviz;
  const MARGIN = 5;
  const DIAMETER = 4;

  function layoutOf(about, width, height) {
    const area = { left: MARGIN, top: MARGIN, right: width - MARGIN, bottom: height - MARGIN };
    return { width, height, area };
  }

  const dot = (points, row) => `M${points.x[row].toFixed(1)} ${points.y[row].toFixed(1)}h0`;

  function draw(drawing, { view, categories }, { area }, depth, isolated) {
    const points = plateLayout.spread(view.at(depth), view.n, area, DIAMETER / 2);
    const { memberships } = view.vocabulary;
    const rows = [...memberships.keys()];
    const paths = categories.map((_, category) => svg("path", {
      class: `${plate.hueOf(category)}${isolated === null || isolated === category ? "" : " faint"}`,
      d: rows.filter((row) => memberships[row][0] === category).map((row) => dot(points, row)).join(""),
    }));
    const marks = svg("g", { class: "plate-dots", "stroke-width": DIAMETER });
    marks.append(...paths);
    drawing.replaceChildren(marks, svg("g", { class: "plate-point" }));
    return { points };
  }

  // A ring about a word's mark.
  function point(drawing, { view }, layout, { points }, row) {
    const rings = row === null ? [] : [svg("circle", {
      class: plate.hueOf(view.vocabulary.memberships[row][0]), cx: points.x[row], cy: points.y[row], r: DIAMETER + 1,
    })];
    drawing.querySelector(".plate-point").replaceChildren(...rings);
  }

  return { layoutOf, draw, point };
})();
