"use strict";

// Saves a plot of the explorer: its layers, with a title above them and the key to the categories that are shown below. Marks are
// made again of what the plot is made of, so that thousands that are pixels on the page are shapes as well.
Tokviz.take.savers.explore = (() => {
  const { picture } = Tokviz;
  const TITLE_SIZE = 14;
  const SIZE = 12;
  const LINE = 20;
  const MARGIN = 8;
  const TRAILS = {
    own: "trails: from layer to layer, each in its own axes",
    aligned: "trails: from layer to layer, each turned to fit the shown one",
  };
  const SWATCH = 10;

  const textOf = (text, x, y, fill, more = {}) => {
    const [size, weight] = [more.size ?? SIZE, more.weight ?? 400];
    return { text, x, y, size, weight, anchor: "start", width: picture.widthOf(text, size, weight), fill };
  };

  function markOf(memberships, hollow, diameter, x, y, colors) {
    return Explore.paintedPaths(memberships, hollow, diameter, colors).map(([d, scale, fill, stroke, line]) => ({
      d, matrix: [scale, 0, 0, scale, x, y], fill, stroke, line, opacity: 1,
    }));
  }

  // Of a title that is too long the layer stays.
  const fitted = (text, space, weight) => Tokviz.fitted(text, space, (each) => picture.widthOf(each, TITLE_SIZE, weight));

  // Name, words, PCA and layer in one line, or where that is too long in two.
  function titleOf({ capture: { model, context, shown }, depth }, width, { ink }) {
    const end = ` · ${shown.label} PCA · ${Tokviz.depthName(depth)}`;
    const space = width - 2 * MARGIN;
    const rest = fitted(context.label, space - picture.widthOf(`· ${end}`, TITLE_SIZE, 400), 400) + end;
    const name = textOf(fitted(model.name, space, 600), MARGIN, 20, ink, { size: TITLE_SIZE, weight: 600 });
    const after = textOf(`· ${rest}`, MARGIN + name.width + 4, 20, ink, { size: TITLE_SIZE });
    if (after.x + after.width <= width - MARGIN) return [name, after];
    return [name, textOf(rest, MARGIN, 38, ink, { size: TITLE_SIZE })];
  }

  // The categories that are shown, in as many rows as they need, and what marks mean.
  function keyOf({ index, view, depth, plot }, hidden, width, top, colors) {
    const shapes = [];
    let [x, y] = [MARGIN, top];
    const names = index.categories.map((label, category) => [label, category]).filter(([, category]) => !hidden.has(category));
    for (const [label, category] of names) {
      const name = textOf(label, 0, 0, colors.ink);
      const wide = SWATCH + 6 + name.width;
      if (x > MARGIN && x + wide > width - MARGIN) [x, y] = [MARGIN, y + LINE];
      shapes.push(...markOf([category], false, SWATCH, x + SWATCH / 2, y + LINE / 2, colors));
      shapes.push({ ...name, x: x + SWATCH + 6, y: y + LINE / 2 + 4 });
      x += wide + 18;
    }
    const notes = [
      view.hollow.some((each, row) => each && plot.visible[row]) ? "hollow: several tokens, or read at a different position" : "",
      [...view.beyond[depth]].some((row) => plot.visible[row]) ? "arrow: lies beyond the axes" : "",
      depth && plot.pins.some((row) => plot.visible[row]) ? TRAILS[plot.trails.kind] : "",
    ].filter(Boolean);
    for (const note of notes) {
      y += LINE;
      shapes.push(textOf(note, MARGIN, y + LINE / 2 + 4, colors.quiet));
    }
    return { shapes, bottom: y + LINE + MARGIN };
  }

  function marksOf({ plot, view }, left, top, colors) {
    const { x, y, visible, diameter, width, height } = plot;
    const isSeen = (row) => visible[row] && x[row] > -diameter && y[row] > -diameter && x[row] < width + diameter && y[row] < height + diameter;
    return [...visible.keys()].filter(isSeen).flatMap((row) =>
      markOf(view.vocabulary.memberships[row], view.hollow[row], diameter, left + x[row], top + y[row], colors));
  }

  function sheetOf(panel, hidden) {
    const { plot, name, depth } = panel;
    const width = plot.root.clientWidth;
    const colors = Explore.colorsOf(plot.root);
    const title = titleOf(panel, width, colors);
    const head = title[1].y + 4;
    const box = plot.root.getBoundingClientRect();
    const origin = [box.left, box.top - head];
    const [left, top] = [plot.inner.offsetLeft, plot.inner.offsetTop + head];
    const clip = { x: left, y: top, width: plot.width, height: plot.height };
    const key = keyOf(panel, hidden, width, head + plot.root.clientHeight + 2, colors);
    const text = `${name}, ${Tokviz.depthName(depth)}`;
    return {
      width,
      height: key.bottom,
      ground: colors.ground,
      title: text,
      description: `${text}: ${plot.visible.filter(Boolean).length} words.`,
      groups: [
        { name: "title", shapes: title },
        { name: "axes", shapes: picture.shapesOf(plot.axes, origin) },
        { name: "marks", shapes: marksOf(panel, left, top, colors), clip },
        ...[...plot.over.children].map((layer) => ({ name: layer.getAttribute("class").split(" ")[0], shapes: picture.shapesOf(layer, origin), clip })),
        { name: "key", shapes: key.shapes },
      ],
    };
  }

  return async (control, form) => {
    const asked = {};
    Tokviz.tell(control, "saving", asked);
    const { panel, hidden } = asked;
    if (!panel?.view?.limits[panel.depth]) return "There is no plot here.";
    await panel.plot.still();
    await picture.save(sheetOf(panel, hidden), Tokviz.fileName(panel.capture, panel.depth), form);
    return "Saved.";
  };
})();
