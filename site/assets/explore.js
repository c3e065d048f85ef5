"use strict";

// The explorer: one picture or two in step, a ruler, a search, a legend, pinned words and a table, all of one state, which the
// address holds: #a=model/context/projection&b=…&at=layer-11&pin=May,June&hide=0,3&word=May&zoom-a=2,0.4,0.6
(() => {
  const LETTERS = ["a", "b"];
  const BEAT = 800;
  const TABLE_DELAY = 160;
  // Safari allows 100 changes of the address in 30 seconds.
  const ADDRESS_DELAY = 400;
  const KEYS = { ArrowLeft: (at) => at - 1, ArrowRight: (at) => at + 1, Home: () => 0, End: () => Infinity };
  const { clamp, depthName } = Explore;

  function start(root) {
    const index = new Explore.Index(JSON.parse(root.querySelector("[data-index]").textContent));
    const holder = root.querySelector(".views");
    const prototype = root.querySelector("[data-view]").cloneNode(true);
    const beside = root.querySelector("[data-beside]");
    const play = root.querySelector("[data-play]");
    const say = root.querySelector("[data-say]");
    const of = root.querySelector("[data-of]");
    const note = root.querySelector(".legend-note");
    const links = root.querySelector(".explore-links");
    const steps = [...root.querySelectorAll("[data-step]")];
    const hidden = new Set();
    let panels = [];
    let depth = 0;
    let pins = [];
    let current = null;
    let seen = null;
    let timers = {};

    const later = (name, delay, act) => {
      clearTimeout(timers[name]);
      timers[name] = setTimeout(act, delay);
    };
    const last = () => panels[0].view.last;
    const vocabulary = () => panels[0].view.vocabulary;
    const depthOf = (panel) => (panel === panels[0] ? depth : Math.round((depth / last()) * panel.view.last));
    const ready = () => panels.length > 0 && panels.every((panel) => panel.view);

    // --- pictures ---

    function addPanel() {
      const section = panels.length ? prototype.cloneNode(true) : holder.querySelector("[data-view]");
      if (panels.length) holder.append(section);
      const panel = new Explore.Panel(section, index, {
        point,
        pin: toggle,
        zoomed: noteAddress,
        step: (by) => go(depth + by),
        chosen: (names) => choose(panel, names).then(noteAddress),
      });
      panels.push(panel);
      return panel;
    }

    async function choose(panel, names) {
      const share = ready() ? depth / last() : null;
      try {
        if (!(await panel.choose(index.capture(names)))) return;
      } catch (error) {
        panel.fail(error);
        return;
      }
      if (!ready()) return;
      if (panel === panels[0] && share !== null) depth = Math.round(share * last());
      ruler.setView(panels[0].view);
      refresh();
    }

    function setBeside(wanted) {
      beside.setAttribute("aria-pressed", String(wanted));
      holder.dataset.views = wanted ? 2 : 1;
      of.hidden = !wanted;
      if (!wanted && panels.length > 1) {
        panels.pop().root.remove();
        of.querySelector("input").checked = true;
      }
    }

    // Beside a picture goes another context of its model, else another model, else another projection.
    function companion() {
      const { capture } = panels[0];
      const others = index.captures().filter(({ key }) => key !== capture.key);
      return others.find(({ model, context, shown }) =>
        model === capture.model && context !== capture.context && shown.name === capture.shown.name)
        ?? others.find(({ model }) => model !== capture.model) ?? others[0];
    }

    // --- what is shown ---

    function refresh() {
      const { memberships, words } = vocabulary();
      seen = Uint8Array.from(words, (_, row) => memberships[row].some((category) => !hidden.has(category)));
      for (const panel of panels) panel.plot.setSeen(seen);
      legend.show(hidden);
      showPins();
      showDepth();
      say.textContent = "";
      const hollow = panels.some(({ view }) => view.hollow.some(Boolean));
      note.textContent = hollow ? "Hollow: of several tokens, or read at another position than most." : "";
    }

    function showDepth() {
      for (const panel of panels) panel.show(depthOf(panel), seen);
      const text = panels.length > 1
        ? `${depthName(depth)}; beside it ${depthName(panels[1].depth)} of ${panels[1].name}` : depthName(depth);
      ruler.setDepth(depth, text);
      for (const button of steps) {
        const target = depth + Number(button.dataset.step);
        button.setAttribute("aria-disabled", String(target < 0 || target > last()));
      }
      showCurrent();
      later("table", TABLE_DELAY, showTable);
    }

    function showCurrent() {
      for (const panel of panels) {
        panel.plot.setCurrent(current);
        panel.tell(current, index.categories);
      }
    }

    function showPins() {
      for (const panel of panels) panel.plot.setPins(pins);
      pinned.show(pins, vocabulary());
    }

    function showTable() {
      const panel = panels[Number(of.querySelector("input:checked").value)] ?? panels[0];
      table.show(panel, seen, pins, index.categories);
      showLinks();
    }

    function showLinks() {
      links.replaceChildren(...panels.flatMap(({ capture: { model, context, shown }, depth: at }, position) => {
        const link = document.createElement("a");
        const first = shown === context.projections[0] ? "" : `/${shown.name}`;
        link.href = `${model.page}#${context.name}/${depthName(at).replace(" ", "-")}${first}`;
        link.textContent = `${model.name}, ${context.label}, ${depthName(at)}`;
        return position ? [" and ", link] : ["The plates of this view: ", link];
      }), ".");
    }

    // --- what a reader does ---

    function go(wanted, keepPlaying = false) {
      if (!ready()) return;
      if (!keepPlaying) stop();
      const target = clamp(wanted, 0, last());
      if (target === depth) return;
      depth = target;
      showDepth();
      if (current !== null) later("say", 500, announce);
      noteAddress();
    }

    function point(row, by) {
      // Leaving the picture with the mouse lets go only of what the mouse took.
      if (row === null && by === "pointer" && timers.by !== "pointer") return;
      if (row === current || !ready()) return;
      current = row;
      timers.by = by;
      showCurrent();
      if (by !== "pointer") announce();
      noteAddress();
    }

    function announce() {
      if (current === null) {
        say.textContent = "";
        return;
      }
      const facts = panels.map((panel) => ({ ...panel.facts(current, index.categories), at: depthName(panel.depth) }));
      const near = facts.map(({ at, neighbours, where }) => `${at}, nearest ${where}: ${neighbours.slice(0, 3).join(", ")}`);
      say.textContent = `${facts[0].word}, ${facts[0].category}, ${facts[0].count}${pins.includes(current) ? ", pinned" : ""}. ${near.join(". ")}.`;
    }

    function toggle(row) {
      pins = pins.includes(row) ? pins.filter((other) => other !== row) : [...pins, row];
      afterPins(`${vocabulary().words[row]} ${pins.includes(row) ? "pinned" : "unpinned"}.`);
    }

    function afterPins(text) {
      showPins();
      showTable();
      say.textContent = text;
      noteAddress();
    }

    function stop() {
      clearInterval(timers.play);
      timers.play = null;
      play.textContent = "Play";
      play.setAttribute("aria-pressed", "false");
    }

    const pinned = new Explore.Pins(root.querySelector(".pins"), (row) => {
      if (row !== null) {
        toggle(row);
      } else {
        pins = [];
        afterPins("Nothing pinned.");
      }
    });
    const legend = new Explore.Legend(root.querySelector(".legend"), index.categories, (category) => {
      if (category === null) hidden.clear();
      else if (!hidden.delete(category)) hidden.add(category);
      refresh();
      noteAddress();
    });
    const ruler = new Explore.Ruler(root.querySelector(".ruler"), (wanted) => go(wanted));
    const table = new Explore.Table(root.querySelector(".explore-table"), toggle);
    new Explore.Search(root.querySelector("#find"), root.querySelector("#found"), {
      find: (text, most) => (ready() ? vocabulary().find(text, most) : []),
      describe: (row) => panels[0].facts(row, index.categories),
      point: (row) => point(row, "search"),
      pin: (row) => {
        if (!pins.includes(row)) toggle(row);
        point(row, "search");
      },
    });

    play.addEventListener("click", () => {
      if (timers.play) return stop();
      if (!ready()) return undefined;
      play.textContent = "Stop";
      play.setAttribute("aria-pressed", "true");
      if (depth === last()) go(0, true);
      timers.play = setInterval(() => (depth < last() ? go(depth + 1, true) : stop()), BEAT);
      return undefined;
    });
    for (const button of steps) button.addEventListener("click", () => go(depth + Number(button.dataset.step)));
    beside.addEventListener("click", async () => {
      const wanted = panels.length === 1;
      setBeside(wanted);
      if (wanted) {
        const { model, context, shown } = companion();
        await choose(addPanel(), { model: model.slug, context: context.name, projection: shown.name });
      } else {
        refresh();
      }
      noteAddress();
    });
    of.addEventListener("change", showTable);
    root.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      const own = event.target.closest("input, select, .scroll");
      if (!move || own || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(move(depth));
    });

    // --- the address ---

    function address() {
      const { words } = vocabulary();
      const parts = panels.map(({ capture }, position) => `${LETTERS[position]}=${capture.key}`);
      parts.push(`at=${depthName(depth).replace(" ", "-")}`);
      if (pins.length) parts.push(`pin=${pins.map((row) => encodeURIComponent(words[row])).join(",")}`);
      if (current !== null && timers.by !== "pointer") parts.push(`word=${encodeURIComponent(words[current])}`);
      if (hidden.size) parts.push(`hide=${[...hidden].sort((a, b) => a - b).join(",")}`);
      panels.forEach(({ plot }, position) => {
        const zoomed = plot.zoomed();
        if (zoomed) parts.push(`zoom-${LETTERS[position]}=${zoomed.map((value) => Number(value.toFixed(4))).join(",")}`);
      });
      return `#${parts.join("&")}`;
    }

    function noteAddress() {
      later("address", ADDRESS_DELAY, () => ready() && history.replaceState(null, "", address()));
    }

    // Raw text between the marks, so that a word may hold a comma or an ampersand.
    function parsed() {
      const found = {};
      for (const part of location.hash.slice(1).split("&")) {
        const [key, ...rest] = part.split("=");
        found[key] = rest.join("=");
      }
      return found;
    }

    function decoded(text) {
      try {
        return decodeURIComponent(text);
      } catch {
        return text;
      }
    }

    const namesOf = (text = "") => {
      const [model, context, projection] = text.split("/").map(decoded);
      return { model, context, projection };
    };

    async function openAddress() {
      clearTimeout(timers.address);
      stop();
      const wanted = parsed();
      const second = wanted.b !== undefined && index.has(wanted.b);
      setBeside(second);
      if (!panels.length) addPanel();
      if (second && panels.length === 1) addPanel();
      const keys = [wanted.a, second ? wanted.b : null];
      await Promise.all(panels.map((panel, position) => choose(panel, namesOf(keys[position] ?? ""))));
      if (!ready()) {
        root.dataset.ready = "";  // what went wrong is to be seen
        return;
      }
      const { rows } = vocabulary();
      const layer = /^layer-(\d+)$/.exec(wanted.at ?? "");
      const opening = wanted.a === undefined ? panels[0].capture.context.opening ?? 0 : 0;
      depth = clamp(layer ? Number(layer[1]) + 1 : wanted.at === "embedding" ? 0 : opening, 0, last());
      pins = (wanted.pin ?? "").split(",").map((word) => rows.get(decoded(word))).filter((row) => row !== undefined);
      current = rows.get(decoded(wanted.word ?? "")) ?? null;
      timers.by = "address";
      hidden.clear();
      for (const category of (wanted.hide ?? "").split(",").filter(Boolean).map(Number)) {
        if (index.categories[category] !== undefined) hidden.add(category);
      }
      refresh();
      panels.forEach(({ plot }, position) => {
        const zoomed = (wanted[`zoom-${LETTERS[position]}`] ?? "").split(",").map(Number);
        if (zoomed.length === 3 && zoomed.every(Number.isFinite)) plot.setZoomed(zoomed);
      });
      showTable();
      root.dataset.ready = "";
    }

    window.addEventListener("hashchange", openAddress);
    openAddress();
  }

  for (const root of document.querySelectorAll("[data-explore]")) start(root);
})();
