// needs: common.js captures.js explore/data.js explore/panel.js explore/controls.js plates/scale.js
// after: take.js related-choice.js related-plot.js word-map.js
"use strict";

// The explorer: one picture or two in step, a ruler, a search, a legend, pinned words and a table. All show one state, which
// is written into the address: #a=model/context/projection&b=…&at=layer-11&pin=May,June&trails=aligned&hide=0,3&word=May&zoom-a=2,0.4,0.6&related=order-months&scale=true
// Before it starts, the views that are cloned must have their controls from take.js; related-plot.js stands in the page for notebooks.
(() => {
  const { captures, clamp, decode, depthName } = Tokviz;
  const LETTERS = ["a", "b"];
  // Longer than a movement: a layer stands a moment.
  const PLAY_INTERVAL = 1200;
  const TABLE_DELAY = 160;
  const ANNOUNCE_DELAY = 500;

  // The state of the explorer, and the elements that show it. `current` is the row of the word that is pointed at, `currentBy`
  // says by what ("pointer", "key", "search", …); `visible` has a 1 for each row of a category that isn't hidden.
  function createExplorer(root) {
    const explorer = {
      root,
      index: new Explore.Index(JSON.parse(root.querySelector("[data-index]").textContent)),
      container: root.querySelector(".views"),
      prototype: root.querySelector("[data-view]").cloneNode(true),
      pairButton: root.querySelector("[data-beside]"),
      playButton: root.querySelector("[data-play]"),
      announcement: root.querySelector("[data-say]"),
      tableChoice: root.querySelector("[data-of]"),
      legendNote: root.querySelector(".legend-note"),
      links: root.querySelector(".explore-links"),
      stepButtons: [...root.querySelectorAll("[data-step]")],
      panels: [],
      depth: 0,
      hidden: new Set(),
      pins: [],
      trails: "own",
      current: null,
      currentBy: "address",
      visible: null,
      playing: null,
      timers: new Map(),
    };
    // Not every report has relations or orders.
    explorer.related = Tokviz.RelatedChoice?.of(root, () => chooseRelated(explorer));
    explorer.address = new Tokviz.AddressWriter(() => (isReady(explorer) ? fragmentOf(explorer) : null));
    addControls(explorer);
    keepInView(root);
    return explorer;
  }

  // Plots are as high as the window leaves them below what stands above them.
  function keepInView(root) {
    const card = root.querySelector(".explore-card");
    new ResizeObserver(() => {
      const above = card.getBoundingClientRect().top + scrollY;
      card.style.setProperty("--above", `${Math.round(above + card.querySelector(".view-choice").offsetHeight)}px`);
    }).observe(root.querySelector(".explore-bar"));
  }

  function addControls(explorer) {
    const { root, index } = explorer;
    explorer.map = mapOf(explorer);
    explorer.pinList = new Explore.Pins(root.querySelector(".pins"), (row) => (row === null ? unpinAll(explorer) : togglePin(explorer, row)));
    explorer.trailAxes = new Explore.TrailAxes(root.querySelector("[data-trails]"), (kind) => chooseTrails(explorer, kind));
    explorer.legend = new Explore.Legend(root.querySelector(".legend"), index.categories, (category) => toggleCategory(explorer, category));
    explorer.ruler = new Explore.Ruler(root.querySelector(".ruler"), (wanted) => go(explorer, wanted));
    explorer.ruler.stickOver(explorer.container);
    explorer.table = new Explore.Table(root.querySelector(".explore-table"), (row) => togglePin(explorer, row), () => explorer.address.request());
    explorer.search = new Explore.Search(root.querySelector("#find"), root.querySelector("#found"), {
      find: (text, most) => (isReady(explorer) ? vocabularyOf(explorer).find(text, most) : []),
      describe: (row) => explorer.panels[0].facts(row, index.categories),
      point: (row) => point(explorer, row, "search"),
      pin: (row) => {
        if (!explorer.pins.includes(row)) togglePin(explorer, row);
        point(explorer, row, "search");
      },
    });
  }

  // The heat map under the explorer of a page; a notebook has none.
  function mapOf(explorer) {
    const section = explorer.root.querySelector("[data-word-map]");
    return section && new Tokviz.WordMap(section, explorer.index.words, {
      go: ({ last }, depth) => go(explorer, Math.round(Tokviz.shareOf(depth, last) * lastOf(explorer))),
      choose: (row) => togglePin(explorer, row),
      point: (row) => point(explorer, row, "pointer"),
    });
  }

  const lastOf = ({ panels }) => panels[0].view.last;
  const vocabularyOf = ({ panels }) => panels[0].view.vocabulary;
  const isReady = ({ panels }) => panels.length > 0 && panels.every((panel) => panel.view);

  // The second picture keeps the relative depth of the first.
  function depthOf(explorer, panel) {
    const { panels, depth } = explorer;
    return panel === panels[0] ? depth : Math.round(Tokviz.shareOf(depth, lastOf(explorer)) * panel.view.last);
  }

  // Acts after a delay, once for all calls of that name within it.
  function schedule({ timers }, name, delay, act) {
    clearTimeout(timers.get(name));
    timers.set(name, setTimeout(act, delay));
  }

  // --- pictures ---

  function addPanel(explorer) {
    const { panels, container, prototype, index } = explorer;
    const section = panels.length ? prototype.cloneNode(true) : container.querySelector("[data-view]");
    if (panels.length) container.append(section);
    const panel = new Explore.Panel(section, index, {
      point: (row, by) => point(explorer, row, by),
      pin: (row) => togglePin(explorer, row),
      zoomed: () => explorer.address.request(),
      step: (by) => go(explorer, explorer.depth + by),
      chosen: (names) => choose(explorer, panel, names).then(() => {
        showChosen(explorer);
        explorer.address.request();
      }),
    });
    panels.push(panel);
    return panel;
  }

  async function choose(explorer, panel, names) {
    const last = isReady(explorer) ? lastOf(explorer) : null;
    try {
      if (!(await panel.choose(Tokviz.findCapture(explorer.index.models, names)))) return;
    } catch (error) {
      panel.fail(error);
      return;
    }
    // A reader may have stepped on while it was loaded.
    if (panel === explorer.panels[0] && last !== null && isReady(explorer)) {
      explorer.depth = Math.round(Tokviz.shareOf(explorer.depth, last) * lastOf(explorer));
    }
  }

  // Where a capture couldn't be loaded, its panel says so, and the rest stays as it was.
  function showChosen(explorer) {
    if (!isReady(explorer)) return;
    explorer.ruler.setView(explorer.panels[0].view);
    refresh(explorer);
  }

  function setPair({ panels, pairButton, container, tableChoice }, wanted) {
    pairButton.setAttribute("aria-pressed", String(wanted));
    container.dataset.views = wanted ? 2 : 1;
    tableChoice.hidden = !wanted;
    if (!wanted && panels.length > 1) {
      panels.pop().root.remove();
      tableChoice.querySelector("input").checked = true;
    }
  }

  async function togglePair(explorer) {
    const wanted = explorer.panels.length === 1;
    setPair(explorer, wanted);
    if (wanted) {
      const names = captures.namesOf(companionOf(explorer));
      await choose(explorer, addPanel(explorer), names);
      showChosen(explorer);
    } else {
      refresh(explorer);
    }
    explorer.address.request();
  }

  // Beside a picture stands another context of its model, else another model, else another projection.
  function companionOf({ panels, index }) {
    const { capture } = panels[0];
    const others = captures.all(index.models).filter(({ key }) => key !== capture.key);
    return others.find(({ model, context, shown }) =>
      model === capture.model && context !== capture.context && shown.name === capture.shown.name)
      ?? others.find(({ model }) => model !== capture.model) ?? others[0];
  }

  // --- what is shown ---

  function refresh(explorer) {
    const { panels, hidden } = explorer;
    const { memberships, words } = vocabularyOf(explorer);
    explorer.visible = Uint8Array.from(words, (_, row) => memberships[row].some((category) => !hidden.has(category)));
    for (const panel of panels) panel.plot.setVisible(explorer.visible);
    explorer.legend.show(hidden);
    showPins(explorer);
    showTrails(explorer);
    showDepth(explorer);
    showMap(explorer);
    explorer.announcement.textContent = "";
    const hollow = panels.some(({ view }) => view.hollow.some(Boolean));
    // Its place stays, so that nothing moves.
    explorer.legendNote.style.visibility = hollow ? "" : "hidden";
  }

  // Of the captures that are seen, each once.
  function showMap({ map, panels }) {
    const sides = panels.filter(({ capture: { context } }) => context.scores).map(({ capture: { model, context } }) => ({
      key: `${model.slug}/${context.name}`,
      folder: `${model.data}/${context.name}`,
      label: panels.some(({ capture }) => capture.model !== model) ? captures.labelOfStates({ model, context }) : context.label,
      neighbours: context.neighbours,
    }));
    const seen = sides.filter(({ key }, index) => sides.findIndex((each) => each.key === key) === index);
    if (map && seen.length) map.show(seen);
  }

  function showDepth(explorer) {
    const { panels, depth } = explorer;
    for (const panel of panels) panel.show(depthOf(explorer, panel), explorer.visible);
    const second = panels.length > 1 ? `; next to it ${depthName(panels[1].depth)} of ${panels[1].name}` : "";
    showRelated(explorer);
    explorer.ruler.setDepth(depth, `${depthName(depth)}${second}`);
    Tokviz.markSteps(explorer.stepButtons, depth, lastOf(explorer));
    if (explorer.trails === "aligned") explorer.trailAxes.describe(panels);
    showCurrent(explorer);
    schedule(explorer, "table", TABLE_DELAY, () => showTable(explorer));
  }

  function showRelated({ panels, related }) {
    related?.show(panels.map(({ room, capture: { model: { slug, data }, context }, depth }) => ({
      host: room, source: { slug, folder: data }, context: context.name, isMeasured: context.related === true, depth,
    })));
  }

  function showCurrent({ panels, current, index, map }) {
    map?.mark(current);
    for (const panel of panels) {
      panel.plot.setCurrent(current);
      panel.describe(current, index.categories);
    }
  }

  function showTrails({ panels, trails, trailAxes }) {
    for (const panel of panels) panel.plot.setTrails(trails);
    trailAxes.show(trails);
  }

  function showPins(explorer) {
    for (const panel of explorer.panels) panel.plot.setPins(explorer.pins);
    explorer.pinList.show(explorer.pins, vocabularyOf(explorer));
  }

  function showTable(explorer) {
    const { panels, tableChoice, visible, pins, index } = explorer;
    const panel = panels[Number(tableChoice.querySelector("input:checked").value)] ?? panels[0];
    explorer.table.show(panel, visible, pins, index.categories);
    showLinks(explorer);
  }

  // Some captures are measured, and not drawn: the models' pages have no plates of them.
  function showLinks({ links, panels, related }) {
    const drawn = panels.filter(({ capture }) => !capture.shown.undrawn);
    const end = drawn.length ? "." : "There are no plots of this view.";
    links.replaceChildren(...drawn.flatMap(({ capture: { model, context, shown }, depth }, position) => {
      const projection = shown === context.projections[0] ? "" : `/${shown.name}`;
      const href = `${model.page}#${context.name}/${Tokviz.depthKey(depth)}${projection}${related?.address ?? ""}`;
      const link = Tokviz.make("a", { href }, `${model.name}, ${context.label}, ${depthName(depth)}`);
      return position ? [" and ", link] : ["The plots of this view: ", link];
    }), end);
  }

  // What a screen reader says of the current word.
  function announce({ panels, current, pins, index, announcement }) {
    if (current === null) {
      announcement.textContent = "";
      return;
    }
    const facts = panels.map((panel) => ({ ...panel.facts(current, index.categories), at: depthName(panel.depth) }));
    const near = facts.map(({ at, neighbours, where }) => `${at}, nearest ${where}: ${neighbours.slice(0, 3).join(", ") || "none"}`);
    const [{ word, category, count }] = facts;
    announcement.textContent = `${word}, ${category}, ${count}${pins.includes(current) ? ", pinned" : ""}. ${near.join(". ")}.`;
  }

  // --- what a reader does ---

  function go(explorer, wanted, keepPlaying = false) {
    if (!isReady(explorer)) return;
    if (!keepPlaying) stop(explorer);
    const depth = clamp(wanted, 0, lastOf(explorer));
    if (depth === explorer.depth) return;
    explorer.depth = depth;
    showDepth(explorer);
    if (explorer.current !== null) schedule(explorer, "announce", ANNOUNCE_DELAY, () => announce(explorer));
    explorer.address.request();
  }

  function point(explorer, row, by) {
    // The mouse that leaves the picture deselects only what the mouse selected.
    if (row === null && by === "pointer" && explorer.currentBy !== "pointer") return;
    if (row === explorer.current || !isReady(explorer)) return;
    explorer.current = row;
    explorer.currentBy = by;
    showCurrent(explorer);
    if (by !== "pointer") announce(explorer);
    explorer.address.request();
  }

  function togglePin(explorer, row) {
    const { pins } = explorer;
    const isPinned = pins.includes(row);
    const word = vocabularyOf(explorer).names[row];
    setPins(explorer, isPinned ? pins.filter((other) => other !== row) : [...pins, row], `${word} ${isPinned ? "unpinned" : "pinned"}.`);
  }

  const unpinAll = (explorer) => setPins(explorer, [], "Nothing pinned.");

  function setPins(explorer, pins, announcement) {
    explorer.pins = pins;
    showPins(explorer);
    showTable(explorer);
    explorer.announcement.textContent = announcement;
    explorer.address.request();
  }

  function chooseTrails(explorer, kind) {
    explorer.trails = kind;
    showTrails(explorer);
    if (kind === "aligned" && isReady(explorer)) explorer.trailAxes.describe(explorer.panels);
    explorer.address.request();
  }

  function chooseRelated(explorer) {
    if (isReady(explorer)) refresh(explorer);
    explorer.address.request();
  }

  // Shows or hides a category; null shows all.
  function toggleCategory(explorer, category) {
    const { hidden } = explorer;
    if (category === null) hidden.clear();
    else if (!hidden.delete(category)) hidden.add(category);
    refresh(explorer);
    explorer.address.request();
  }

  function play(explorer) {
    const { playButton } = explorer;
    playButton.textContent = "Stop";
    playButton.setAttribute("aria-pressed", "true");
    go(explorer, explorer.depth === lastOf(explorer) ? 0 : explorer.depth + 1, true);
    explorer.playing = setInterval(() => {
      if (explorer.depth < lastOf(explorer)) go(explorer, explorer.depth + 1, true);
      else stop(explorer);
    }, PLAY_INTERVAL);
  }

  function stop(explorer) {
    clearInterval(explorer.playing);
    explorer.playing = null;
    explorer.playButton.textContent = "Play";
    explorer.playButton.setAttribute("aria-pressed", "false");
  }

  function listen(explorer) {
    const { root, playButton, pairButton, stepButtons, tableChoice } = explorer;
    playButton.addEventListener("click", () => {
      if (explorer.playing) stop(explorer);
      else if (isReady(explorer)) play(explorer);
    });
    for (const button of stepButtons) {
      button.addEventListener("click", () => go(explorer, explorer.depth + Number(button.dataset.step)));
    }
    pairButton.addEventListener("click", () => togglePair(explorer));
    tableChoice.addEventListener("change", () => showTable(explorer));
    Tokviz.listenToKeys(root, () => explorer.depth, (depth) => go(explorer, depth));
    root.addEventListener("address", ({ detail }) => {
      detail.fragment = explorer.address.fragment();
    });
    root.addEventListener("saving", ({ target, detail }) => {
      Object.assign(detail, { panel: explorer.panels.find((panel) => panel.root.contains(target)), hidden: explorer.hidden });
    });
    window.addEventListener("hashchange", () => openAddress(explorer));
    document.addEventListener("scale-chosen", () => explorer.address.request());
    const recolor = (scheme) => explorer.panels.forEach(({ plot }) => plot.recolor(scheme));
    document.addEventListener("themechange", () => recolor());
    matchMedia("(forced-colors: active)").addEventListener("change", () => recolor());
    // Paper is light in both themes.
    window.addEventListener("beforeprint", () => recolor("light"));
    window.addEventListener("afterprint", () => recolor());
  }

  // --- the address ---

  function fragmentOf(explorer) {
    const { panels, depth, pins, current, currentBy, hidden } = explorer;
    const { words } = vocabularyOf(explorer);
    const parts = panels.map(({ capture }, position) => `${LETTERS[position]}=${captures.addressPart(capture)}`);
    parts.push(`at=${Tokviz.depthKey(depth)}`);
    if (pins.length) parts.push(`pin=${pins.map((row) => encodeURIComponent(words[row])).join(",")}`);
    if (explorer.trails !== "own") parts.push(`trails=${explorer.trails}`);
    if (current !== null && currentBy !== "pointer") parts.push(`word=${encodeURIComponent(words[current])}`);
    if (hidden.size) parts.push(`hide=${[...hidden].sort((a, b) => a - b).join(",")}`);
    if (explorer.table.page) parts.push(`table=${explorer.table.page + 1}`);
    panels.forEach(({ plot }, position) => {
      const zoomed = plot.zoomed();
      if (zoomed) parts.push(`zoom-${LETTERS[position]}=${zoomed.map((value) => Number(value.toFixed(4))).join(",")}`);
    });
    return `#${parts.join("&")}${explorer.related?.address ?? ""}${Tokviz.plotScale.address}`;
  }

  async function openAddress(explorer) {
    explorer.address.cancel();
    stop(explorer);
    const wanted = Tokviz.parseAddress();
    Tokviz.plotScale.open(location.hash);
    explorer.trails = wanted.get("trails") === "aligned" ? "aligned" : "own";
    showTrails(explorer);
    explorer.related?.open(wanted.get("related"));
    await openCaptures(explorer, wanted);
    // Where that failed, the page shows why.
    if (isReady(explorer)) applyAddress(explorer, wanted);
    explorer.root.dataset.ready = "";
    delete document.documentElement.dataset.opening;
  }

  function openCaptures(explorer, wanted) {
    const { index, panels } = explorer;
    const pair = captures.has(index.models, wanted.get("b"));
    setPair(explorer, pair);
    while (panels.length < (pair ? 2 : 1)) addPanel(explorer);
    return Promise.all(panels.map((panel, position) => choose(explorer, panel, captures.parse(wanted.get(LETTERS[position])))));
  }

  function applyAddress(explorer, wanted) {
    const { panels, index } = explorer;
    const { rows } = vocabularyOf(explorer);
    const listed = (key) => (wanted.get(key) ?? "").split(",");
    const opening = wanted.has("a") ? 0 : panels[0].capture.context.opening ?? 0;
    explorer.depth = clamp(Tokviz.parseDepth(wanted.get("at")) ?? opening, 0, lastOf(explorer));
    explorer.pins = listed("pin").map((word) => rows.get(decode(word))).filter((row) => row !== undefined);
    explorer.current = rows.get(decode(wanted.get("word") ?? "")) ?? null;
    explorer.currentBy = "address";
    const hidden = listed("hide").filter(Boolean).map(Number).filter((category) => index.categories[category] !== undefined);
    explorer.hidden.clear();
    for (const category of hidden) explorer.hidden.add(category);
    explorer.table.page = (Number.parseInt(wanted.get("table"), 10) || 1) - 1;
    showChosen(explorer);
    panels.forEach(({ plot }, position) => {
      const zoomed = listed(`zoom-${LETTERS[position]}`).map(Number);
      if (zoomed.length === 3 && zoomed.every(Number.isFinite)) plot.setZoomed(zoomed);
    });
  }

  for (const root of document.querySelectorAll("[data-explore]")) {
    const explorer = createExplorer(root);
    listen(explorer);
    openAddress(explorer);
  }
})();
