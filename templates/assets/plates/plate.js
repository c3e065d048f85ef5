// needs: common.js explore/data.js plates/clouds.js plates/framing.js plates/layout.js plates/names.js plates/scale.js
"use strict";

// How wide texts are, in the fonts of a plate as the page has them; what is measured once is kept.
Tokviz.plateText = (() => {
  const { svg } = Tokviz;
  const widths = new Map();
  document.fonts?.addEventListener("loadingdone", () => widths.clear());

  const keyOf = (text, size, bold) => `${size} ${bold ? "b" : ""} ${text}`;

  // The widths of texts of one size in pixels, all measured in one step.
  function measure(texts, size, bold = false) {
    const fresh = [...new Set(texts)].filter((text) => !widths.has(keyOf(text, size, bold)));
    if (fresh.length) {
      const box = svg("svg", { class: "plate-svg plate-measure", "aria-hidden": "true" });
      box.append(...fresh.map((text) => svg("text", { "font-size": size, "font-weight": bold ? 600 : 400 }, text)));
      document.body.append(box);
      [...box.children].forEach((each, index) => widths.set(keyOf(fresh[index], size, bold), each.getComputedTextLength()));
      box.remove();
    }
    return texts.map((text) => widths.get(keyOf(text, size, bold)));
  }

  const fitted = (text, width, size, bold) => Tokviz.fitted(text, width, (each) => measure([each], size, bold)[0]);

  // How far letters reach above and below their line, as shares of the size of text.
  const PLAIN = /^[A-Za-z0-9]+$/;
  const BELOW = /[gjpqyQJ]/;
  function reachOf(text) {
    if (!PLAIN.test(text)) return [0.78, 0.26];
    return [0.73, BELOW.test(text) ? 0.22 : 0.03];
  }

  return { measure, fitted, reachOf };
})();

// One plate as inline SVG, made of the coordinates that the explorer has, too. What it looks like is in plate.css.
Tokviz.plate = (() => {
  const { svg, hueOf, plateLayout, plateText } = Tokviz;
  const { framing, ratioOf, axisName, isDivided, FLAT_BELOW, TRUE_SCALE } = Tokviz.framing;
  const TITLE = 14;
  // Between the panes of a divided plot, in sizes of the axes' text: a line of it stands there.
  const GAP = 1.9;
  // How wide a plot must be for the band's name beside the choice of the scale.
  const LEAST_FOR_BOTH = 400;
  // Of a mark's diameter, in the band.
  const BAND_MARK = 0.75;
  // Of a category's name, beyond the size of words, in pixels.
  const TITLE_LARGER = 2;
  // How far a name may stand from its mark where words lie close along one axis.
  const NEAR = 60;

  const number = (value) => String(Math.round(10 * value) / 10);
  const translated = (x, y) => `translate(${number(x)} ${number(y)})`;

  // A mark about 0, 0: a path for each of its categories.
  function markPaths([first, ...others], hollow, diameter) {
    const path = (category, scale, kind) => svg("path", {
      class: `${hueOf(category)} ${kind}`, d: Tokviz.shape(category), transform: `scale(${number(scale)})`,
    });
    return [
      path(first, hollow ? diameter - 1.2 : diameter, hollow ? "hollow" : "full"),
      ...others.map((category) => path(category, diameter * Explore.SECOND, "full")),
    ];
  }

  // A category's mark beside its name.
  function swatch(category, diameter) {
    const drawing = svg("svg", { class: "plate-svg", viewBox: "-8 -8 16 16", width: 16, height: 16, "aria-hidden": "true" });
    drawing.append(...markPaths([category], false, diameter));
    return drawing;
  }

  // --- where all of it stands: the same on all layers of a view ---

  // What the plates of a view are made of. `longest` has the longest names of a page that has several models beside each other, whose
  // plates begin at one height.
  function about(view, capture, categories, longest) {
    const { model, context } = capture;
    return {
      view,
      capture,
      model: model.name,
      context: context.label,
      // All that may stand side by side.
      models: [model.name, longest?.model ?? ""],
      contexts: [...model.contexts.map(({ label }) => label), longest?.context ?? ""],
      categories,
      labels: view.vocabulary.names.map(Explore.shortened),
    };
  }

  // `isKeyless` where the key may be left out for want of space.
  function layoutOf({ view, models, contexts, categories }, width, height, isKeyless = false) {
    const size = plateLayout.textSize(width);
    const rest = Math.max(...plateText.measure(contexts.map((context) => ` · ${context} · layer 000`), TITLE));
    const title = Math.max(...plateText.measure(models, TITLE, true)) + rest;
    const laidOut = (tickWidth) => plateLayout.layout({
      width,
      height,
      nCategories: categories.length,
      nWords: view.n,
      nameWidth: Math.max(0, ...plateText.measure(categories, size)),
      tickWidth,
      titleLines: title > width - 16 ? 2 : 1,
      isKeyless,
    });
    // What stands beside the axis depends on how wide the area is, which depends on what stands there.
    const first = laidOut(0);
    const wide = first && tickWidth(view, first);
    return first && laidOut(Math.max(wide, tickWidth(view, laidOut(wide) ?? first)));
  }

  // Of the widest label beside an axis, at any depth and scale.
  function tickWidth(view, { area, size }) {
    const panes = view.extents.filter(Boolean).flatMap((extents) =>
      (isDivided(extents) ? ["both", "true"] : ["both"]).map((mode) => framing(extents, area, GAP * size, mode).main));
    const labels = panes.flatMap(({ limits: [, , low, high] }) => Explore.ticks(low, high).map(([, text]) => text));
    // Digits have one width: only the longest labels need be measured.
    const longest = Math.max(0, ...labels.map((text) => text.length));
    return Math.max(0, ...plateText.measure(labels.filter((text) => text.length >= longest - 1), size));
  }

  // --- the parts ---

  function titleParts({ model, context }, depthName, { width, area }) {
    const rest = `${context} · ${depthName}`;
    const space = width - 16;
    const oneLine = area.top < 50;
    const left = oneLine && area.left + plateText.measure([`${model} · ${rest}`], TITLE, true)[0] < space ? area.left : 8;
    if (!oneLine) {
      return [
        svg("text", { class: "plate-model", x: left, y: 20 }, plateText.fitted(model, space, TITLE, true)),
        svg("text", { class: "plate-title", x: left, y: 38 }, shortRest(context, depthName, space)),
      ];
    }
    const [wide] = plateText.measure([model], TITLE, true);
    return [
      svg("text", { class: "plate-model", x: left, y: 20 }, model),
      svg("text", { class: "plate-title", x: number(left + wide + 4), y: 20 }, `· ${rest}`),
    ];
  }

  // Of what is too long the context is shortened: the layer stays.
  function shortRest(context, depthName, space) {
    const layer = ` · ${depthName}`;
    return plateText.fitted(context, space - plateText.measure([layer], TITLE)[0], TITLE) + layer;
  }

  // Spines, ticks and names of both axes; of a divided plot, whose panes share the axis that isn't magnified, of both panes.
  function axisParts({ width, area, size }, frame, variance, names) {
    const { main, band, magnified } = frame;
    const [x0, x1, y0, y1] = main.limits;
    const left = Math.round(magnified === 0 ? area.left : main.area.left) - 0.5;
    const bottom = Math.round(main.area.bottom) + 0.5;
    const made = [spines(main.area), ...(band ? [spines(band.area)] : [])];
    const [across, up] = [0, 1].map((axis) => axisName(frame, axis, variance, names));
    const end = main.area.right - plateText.measure([across], size)[0] - 8;
    const at = (value, low, high, from, to) => Math.round(from + ((value - low) / (high - low)) * (to - from)) + 0.5;
    for (const [value, text] of Explore.ticks(x0, x1)) {
      const x = at(value, x0, x1, main.area.left, main.area.right);
      made.push(svg("path", { class: "plate-spine", d: `M${x} ${bottom}v4` }));
      // The axis' name stands in the same line.
      if (x + plateText.measure([text], size)[0] / 2 >= end) continue;
      made.push(svg("text", { x, y: bottom + 5 + size, "text-anchor": "middle" }, text));
    }
    for (const [value, text] of Explore.ticks(y0, y1)) {
      const y = at(value, y0, y1, main.area.bottom, main.area.top);
      made.push(svg("path", { class: "plate-spine", d: `M${left} ${y}h-4` }));
      made.push(svg("text", { x: left - 7, y: y + 0.35 * size, "text-anchor": "end" }, text));
    }
    made.push(svg("text", { x: main.area.right, y: bottom + 5 + size, "text-anchor": "end" }, across));
    made.push(svg("text", { x: main.area.left, y: main.area.top - 6 }, up));
    // The choice of the scale stands in the same line.
    if (band && width - area.left >= LEAST_FOR_BOTH) made.push(svg("text", { x: band.area.left, y: band.area.top - 6 }, TRUE_SCALE));
    return made;
  }

  const spines = ({ left, top, right, bottom }) =>
    svg("path", { class: "plate-spine", d: `M${Math.round(left) - 0.5} ${top}V${Math.round(bottom) + 0.5}H${right}` });

  // Where names stand, in the main pane; `isolated` is the one category that is named, or null. Those of categories that are one cloud
  // each come first. In steps.
  function* placed(subject, { size, diameter, reach }, points, { area }, isolated, isFlat, strong) {
    const { view, labels, categories } = subject;
    const { memberships } = view.vocabulary;
    const texts = labels.map((text, row) => plateLayout.withArrow(text, points.beyond[row]));
    const clouds = isolated === null ? yield* Tokviz.clouds.inSteps(points, memberships, categories.length) : [];
    const titles = new Map(clouds.map((cloud, index) => [view.n + index, cloud]));
    const all = [...texts, ...clouds.map(({ category }) => categories[category])];
    const sizes = all.map((_, row) => (titles.has(row) ? size + TITLE_LARGER : size));
    const reaches = all.map(plateText.reachOf);
    const named = points.rows.filter((row) => isolated === null || memberships[row].includes(isolated));
    // Those that stand out, and one of each category, come before all others.
    const firsts = new Set([...strong, ...categories.map((_, category) => named.find((row) => memberships[row][0] === category))]);
    const boxes = yield* Tokviz.names.inSteps({
      x: [...points.x, ...clouds.map(({ x }) => x)],
      y: [...points.y, ...clouds.map(({ y }) => y)],
      radius: diameter / 2,
      shown: points.rows,
      widths: [...plateText.measure(texts, size), ...plateText.measure(all.slice(view.n), size + TITLE_LARGER, true)],
      heights: reaches.map(([up, down], row) => (up + down) * sizes[row]),
      area: { left: area.left + 1, top: area.top, right: area.right, bottom: area.bottom - 2 },
      reach: isFlat ? Math.min(reach, NEAR) : reach,
      titles,
    }, [...titles.keys(), ...named.filter((row) => firsts.has(row))], named.filter((row) => !firsts.has(row)));
    return boxes.map((box) => {
      const { row } = box;
      const { category, rows } = titles.get(row) ?? { rows: [row] };
      return { ...box, rows, category, text: all[row], size: sizes[row], base: box.bottom - reaches[row][1] * sizes[row] };
    });
  }

  // Names with what is drawn of each: its text, and a line where one joins it to its mark.
  function nameParts({ view }, names) {
    return names.map((name) => {
      const { row, category, text, size, left, base, led, x, y, endX, endY } = name;
      const hue = hueOf(category ?? view.vocabulary.memberships[row][0]);
      const label = svg("text", { class: hue, x: number(left), y: number(base), "font-size": size }, text);
      return { ...name, label, line: led ? svg("path", { class: hue, d: `M${number(x)} ${number(y)}L${number(endX)} ${number(endY)}` }) : null };
    });
  }

  function markParts({ view }, { x, y }, diameter) {
    return view.vocabulary.memberships.map((categories, row) => {
      const mark = svg("g", { transform: translated(x[row], y[row]) });
      mark.append(...markPaths(categories, view.hollow[row], diameter));
      return mark;
    });
  }

  function group(kind, parts) {
    const made = svg("g", { class: kind });
    made.append(...parts);
    return made;
  }

  // Where everything of a depth stands: the panes, the words' points in them, and their names. In steps, as names take long.
  function* arrange(subject, layout, depth, isolated) {
    const { view } = subject;
    const extents = view.extents[depth];
    const frame = framing(extents, layout.area, GAP * layout.size, Tokviz.plotScale.mode);
    const places = view.at(depth);
    const points = plateLayout.spread(places, view.n, frame.main, 0.7 * layout.diameter);
    points.rows = [...view.vocabulary.words.keys()];
    const band = frame.band && plateLayout.spread(places, view.n, frame.band, 0);
    const names = yield* placed(subject, layout, points, frame.main, isolated, ratioOf(extents) < FLAT_BELOW, subject.capture.strong?.[depth] ?? []);
    return { frame, points, band, names };
  }

  // What a generator returns, all of its steps taken now.
  function finish(steps) {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  // Draws a depth into an <svg>; what was drawn is returned, so that a reader can point at it: also all names, and all parts with the
  // categories and the word that each belongs to.
  function draw(drawing, subject, layout, depth, isolated, arranged = finish(arrange(subject, layout, depth, isolated))) {
    const { view } = subject;
    const { diameter } = layout;
    const { frame, points, band, names } = arranged;
    const { memberships } = view.vocabulary;
    const labels = nameParts(subject, names);
    const [titles, words] = [true, false].map((isTitle) => labels.filter(({ category }) => (category !== undefined) === isTitle));
    const marks = markParts(subject, points, diameter);
    const inBand = band ? markParts(subject, band, BAND_MARK * diameter) : [];
    const lines = words.map(({ line }) => line).filter(Boolean);
    drawing.setAttribute("font-size", layout.size);
    Object.assign(drawing.dataset, { name: Tokviz.fileName(subject.capture, depth), projection: subject.capture.shown.label });
    drawing.replaceChildren(
      group("plate-head", titleParts(subject, Tokviz.depthName(depth), layout)),
      group("plate-axes", axisParts(layout, frame, view.variance[depth], view.capture.shown.axes)),
      ...(band ? [group("plate-band", inBand)] : []),
      group("plate-lines", lines),
      group("plate-marks", marks),
      group("plate-names", words.map(({ label }) => label)),
      ...(titles.length ? [group("plate-categories-named", titles.map(({ label }) => label))] : []),
      group("plate-point", []),
    );
    const parts = [
      ...[marks, inBand].flatMap((each) => each.map((mark, row) => [mark, memberships[row], row])),
      ...labels.flatMap(({ label, line, row, category }) => [label, line].filter(Boolean).map((part) => [part, memberships[row] ?? [category], row])),
    ];
    return {
      points, band, marks, labels, names: words, parts,
      divided: isDivided(view.extents[depth]), hasArrows: points.beyond.some(([x, y]) => x || y),
    };
  }

  // --- the word that is pointed at ---

  // A word's categories and tokens, in a line.
  function tokensOf({ view, categories }, row) {
    const pieces = view.tokens(row);
    const category = view.vocabulary.categoriesOf(row, categories);
    const elsewhere = view.outside.has(row) ? " · read at a different position" : "";
    const tokens = [Explore.countOf(pieces), ...(pieces.length ? [pieces.map(Explore.isolated).join(" · ")] : [])].join(": ");
    return `${category} · ${tokens}${elsewhere}`;
  }

  // A ring about a word's mark, and its name and tokens on a ground of their own; none for null.
  function point(drawing, subject, layout, { points, band }, row) {
    const box = drawing.querySelector(".plate-point");
    const hue = row === null ? "" : hueOf(subject.view.vocabulary.memberships[row][0]);
    if (row === null) return box.replaceChildren();
    const { size, end, area } = layout;
    const [x, y] = [points.x[row], points.y[row]];
    const name = plateText.fitted(subject.view.vocabulary.names[row].trim(), end - 24, size + 2, true);
    const tokens = plateText.fitted(tokensOf(subject, row), end - 24, size);
    const wide = Math.max(...plateText.measure([name], size + 2, true), ...plateText.measure([tokens], size)) + 14;
    const tall = 2 * size + 17;
    const away = layout.diameter / 2 + 7;
    const left = Tokviz.clamp(x + away, 4, end - wide - 4);
    const top = y - away - tall > area.top - 24 ? y - away - tall : y + away;
    return box.replaceChildren(
      svg("circle", { class: hue, cx: number(x), cy: number(y), r: layout.diameter / 2 + 3.5 }),
      ...(band ? [svg("circle", { class: hue, cx: number(band.x[row]), cy: number(band.y[row]), r: layout.diameter / 2 + 2 })] : []),
      svg("rect", { x: number(left), y: number(top), width: number(wide), height: number(tall), rx: 3 }),
      svg("text", { class: `plate-word ${hue}`, x: number(left + 7), y: number(top + size + 6), "font-size": size + 2 }, name),
      svg("text", { class: "plate-tokens", x: number(left + 7), y: number(top + 2 * size + 10), "font-size": size }, tokens),
    );
  }

  return { about, layoutOf, arrange, draw, point, tokensOf, swatch };
})();

// The key of a plate: its categories as buttons, notes below them, and a line for those who don't see the drawing.
Tokviz.plateKey = (() => {
  const { make, hueOf, plate, plotScale } = Tokviz;
  const SCALES = { both: "Both", true: "True scale", magnified: "Magnified" };

  const create = () => make("div", { class: "plate-key" });

  // Puts key and notes where the layout has them, which may have no place for the key.
  function place(key, about, layout) {
    const { key: where, note: below, size, area } = layout;
    const notes = make("p", { class: "plate-note" });
    notes.toggleAttribute("data-column", below.isColumn);
    const said = make("p", { class: "plate-say", "aria-live": "polite" });
    const parts = where ? [[categoriesOf(about, where), where], [notes, below]] : [[notes, below]];
    for (const [each, { left, top, width }] of parts) Object.assign(each.style, { left: `${left}px`, top: `${top}px`, width: `${width}px` });
    key.style.fontSize = `${size}px`;
    // What has the focus keeps it.
    const buttons = () => [...key.querySelectorAll(".plate-categories button")];
    const focused = buttons().indexOf(document.activeElement);
    const scale = key.querySelector(".plate-scale") ?? key.appendChild(scaleChoice());
    Object.assign(scale.style, { right: "8px", top: `${area.top - 24}px` });
    for (const each of [...key.children]) if (each !== scale) each.remove();
    scale.before(...parts.map(([each]) => each));
    scale.after(said);
    buttons()[focused]?.focus({ preventScroll: true });
  }

  // What is shown of a divided plot.
  function scaleChoice() {
    const group = make("div", { class: "plate-scale", role: "group", "aria-label": "Scale of the short axis" });
    group.append(...plotScale.MODES.map((mode) => {
      const button = make("button", { type: "button" }, SCALES[mode]);
      button.addEventListener("click", () => plotScale.choose(mode));
      return button;
    }));
    group.hidden = true;
    return group;
  }

  function showScale(key, { divided }) {
    const group = key.querySelector(".plate-scale");
    group.hidden = !divided;
    [...group.children].forEach((button, at) => button.setAttribute("aria-pressed", String(plotScale.MODES[at] === plotScale.mode)));
  }

  // A button for each category.
  function categoriesOf({ categories }, where) {
    const group = make("div", {
      class: "plate-categories", role: "group", "aria-label": "Categories; press one to see it alone",
    });
    group.append(...categories.map((label, category) => make("button", {
      type: "button", class: hueOf(category), "aria-pressed": "false",
    }, plate.swatch(category, 9), make("span", {}, label))));
    group.style.gridTemplateRows = `repeat(${where.rows}, ${where.pitch}px)`;
    group.style.gridTemplateColumns = `repeat(${where.columns}, minmax(0, 1fr))`;
    return group;
  }

  // What hollow marks mean in a view, as the image says it; empty where there is none.
  function hollowNote({ view }) {
    const several = view.pieces.map((pieces) => pieces.length > 1);
    const anySeveral = several.some(Boolean);
    if (anySeveral && view.outside.size) {
      const same = several.every((each, row) => each === view.outside.has(row));
      return `hollow: several tokens ${same ? "and" : "or"} read at a different position`;
    }
    if (anySeveral) return "hollow: several tokens";
    return view.outside.size ? "hollow: read at a different position" : "";
  }

  // What hollow marks and arrows mean, and how many words are named.
  function note(key, about, { names, hasArrows }, isolated) {
    const notes = [hollowNote(about), hasArrows ? "arrow: lies beyond the axes" : ""];
    const { n, vocabulary } = about.view;
    const all = isolated === null ? n : vocabulary.memberships.filter((each) => each.includes(isolated)).length;
    const lines = notes.filter(Boolean).map((line) => make("span", {}, line));
    if (names.length < all) lines.push(make("span", {}, `${names.length} of ${all} words are named`, make("span", {}, matchMedia("(hover: none)").matches ? "; tap the others" : "; point at the others")));
    key.querySelector(".plate-note").replaceChildren(...lines);
  }

  function press(key, isolated) {
    key.querySelectorAll(".plate-categories button").forEach((button, category) => {
      button.setAttribute("aria-pressed", String(category === isolated));
    });
  }

  // A word with its tokens, or a category with its words.
  function say(key, about, row, isolated) {
    const { names, memberships } = about.view.vocabulary;
    const ofCategory = () => names.filter((_, each) => memberships[each].includes(isolated)).join(", ");
    const text = row !== null ? `${names[row]}. ${plate.tokensOf(about, row)}` : `${about.categories[isolated]}: ${ofCategory()}`;
    key.querySelector(".plate-say").textContent = row === null && isolated === null ? "" : text;
  }

  return { create, place, note, press, say, showScale };
})();
