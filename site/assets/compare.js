"use strict";

// The compare page: up to four slots show captures (model × context × projection) at one depth, in step by relative depth
// or by layer number. Everything jumps at once, so that layers can be compared by flicker. A second part sorts tables.
(() => {
  const KEYS = { ArrowLeft: (at) => at - 1, ArrowRight: (at) => at + 1, Home: () => 0, End: () => Infinity };
  const LETTERS = ["a", "b", "c", "d"];
  const PARTS = ["model", "context", "projection"];
  // Where the embedding's panel has its centre on a strip, and how far the last layer's is from it, in percent.
  const START = 4.4;
  const LENGTH = 91.2;
  // Safari allows 100 changes of the address in 30 seconds.
  const ADDRESS_DELAY = 400;

  const depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);
  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  const percent = (number) => `${number.toFixed(3)}%`;

  function startCompare(root) {
    const data = JSON.parse(root.querySelector("[data-captures]").textContent);
    const holder = root.querySelector(".slots");
    const range = root.querySelector("input[type=range]");
    const ruler = range.parentElement;
    const output = root.querySelector("output");
    const scale = root.querySelector(".compare-scale");
    const radios = [...root.querySelectorAll("input[type=radio]")];
    const steps = [...root.querySelectorAll("[data-step]")];
    const add = root.querySelector("[data-add]");
    const phone = matchMedia("(max-width: 40rem)");
    const prototypes = [root.querySelector("[data-slot]").cloneNode(true), root.querySelector("[data-strip]").cloneNode(true)];
    const nStart = root.querySelectorAll("[data-slot]").length;
    const preloaded = new Map();
    let slots = [];
    let by = "relative";
    let at = 0;
    let last = 1;
    let mayPreload = document.readyState === "complete";
    let addressTimer = 0;

    // --- which capture stands in a slot ---

    function capture(names) {
      const model = data.models.find(({ slug }) => slug === names.model) ?? data.models[0];
      const context = model.contexts.find(({ name }) => name === names.context) ?? model.contexts[0];
      const shown = context.projections.find(({ name }) => name === names.projection) ?? context.projections[0];
      return { model, context, shown };
    }

    const namesOf = ({ model, context, shown }) => ({ model: model.slug, context: context.name, projection: shown.name });
    const isSame = (one, other) => PARTS.every((part) => one[part] === other[part]);

    function allCaptures() {
      return data.models.flatMap((model) =>
        model.contexts.flatMap((context) => context.projections.map((shown) => namesOf({ model, context, shown }))));
    }

    function adopt(slot, strip) {
      return {
        root: slot,
        strip,
        selects: Object.fromEntries(PARTS.map((part) => [part, slot.querySelector(`[data-part=${part}]`)])),
        remove: slot.querySelector("[data-remove]"),
        depth: slot.querySelector(".slot-depth"),
        plate: slot.querySelector(".plate"),
        problem: slot.querySelector(".problem"),
        caption: slot.querySelector("figcaption"),
      };
    }

    function appendSlot() {
      const [slot, strip] = prototypes.map((prototype) => prototype.cloneNode(true));
      holder.append(slot);
      scale.before(strip);
      return listen(adopt(slot, strip));
    }

    function listen(slot) {
      for (const part of PARTS) {
        slot.selects[part].addEventListener("change", () => {
          const wanted = namesOf(slot.capture);
          wanted[part] = slot.selects[part].value;
          fill(slot, wanted);
          refresh();
          noteAddress();
        });
      }
      slot.remove.addEventListener("click", () => {
        const index = slots.indexOf(slot);
        discard(slot);
        refresh();
        noteAddress();
        slots[Math.min(index, slots.length - 1)].selects.model.focus();
      });
      return slot;
    }

    function discard(slot) {
      slots = slots.filter((other) => other !== slot);
      slot.root.remove();
      slot.strip.remove();
    }

    function fill(slot, names) {
      slot.capture = capture(names);
      const { model, context, shown } = slot.capture;
      const choices = {
        model: [data.models.map(({ slug, name }) => [slug, name]), model.slug],
        context: [model.contexts.map(({ name, label }) => [name, label]), context.name],
        projection: [context.projections.map(({ name, label }) => [name, label]), shown.name],
      };
      for (const part of PARTS) {
        const [options, chosen] = choices[part];
        slot.selects[part].replaceChildren(...options.map(([value, label]) => new Option(label, value)));
        slot.selects[part].value = chosen;
        slot.selects[part].parentElement.hidden = options.length === 1;
      }
      slot.name = `${model.name}, ${context.label}, ${shown.label}`;
      slot.strip.querySelector("p").textContent = slot.name;
      const box = slot.strip.querySelector(".plate");
      box.hidden = !shown.strip;
      if (shown.strip) {
        setPicture(box, (form) => shown.strip[form], `${slot.name}: all ${context.last + 1} depths, without labels`);
      }
    }

    // --- what is shown ---

    function setPicture(box, sourceOf, alt) {
      const source = box.querySelector("source");
      const image = box.querySelector("img");
      for (const [element, attribute, form] of [[source, "srcset", "phone"], [image, "src", "wide"]]) {
        const { src, size } = sourceOf(form);
        if (element.getAttribute(attribute) !== src) element.setAttribute(attribute, src);
        if (form === "wide" && box.matches("a")) box.href = src;
        element.setAttribute("width", size[0]);
        element.setAttribute("height", size[1]);
      }
      image.loading = "eager";
      image.alt = alt;
    }

    function plateOf({ shown }, depth, form) {
      const { before, between, after, size } = shown[form];
      return between[depth] === null ? null : { src: before + between[depth] + after, size };
    }

    function depthOf(slot, position = at) {
      const own = slot.capture.context.last;
      return by === "layer" ? Math.min(position, own) : Math.round((position / last) * own);
    }

    function show(slot, index) {
      const { context, shown } = slot.capture;
      const depth = depthOf(slot);
      const waits = by === "layer" && at > context.last;
      slot.root.setAttribute("aria-label", `Picture ${index + 1}: ${slot.name}`);
      slot.depth.textContent = waits ? `${depthName(depth)} (last)` : depthName(depth);
      const found = plateOf(slot.capture, depth, "wide") !== null;
      slot.plate.hidden = !found;
      slot.problem.hidden = found;
      slot.problem.textContent = shown.problems[depth] ?? "There is no picture of this depth.";
      slot.caption.textContent = found ? shown.captions[depth] : "";
      if (found) {
        const alt = `${slot.name}, ${depthName(depth)}: ${shown.captions[depth]}`;
        setPicture(slot.plate, (form) => plateOf(slot.capture, depth, form), alt);
      }
      slot.remove.hidden = slots.length <= Math.min(2, nStart);
    }

    // After a choice: the ruler is as long as the deepest model, and keeps its place.
    function refresh(share = at / last) {
      const before = by === "layer" ? at : null;
      last = Math.max(...slots.map(({ capture: { context } }) => context.last));
      range.max = last;
      holder.dataset.slots = slots.length;
      if (add) add.disabled = slots.length === LETTERS.length;
      drawScale();
      for (const slot of slots) {
        const part = by === "layer" ? slot.capture.context.last / last : 1;
        const box = slot.strip.querySelector(".plate");
        box.style.width = percent(100 * part);
        box.style.marginLeft = percent(START * (1 - part));
      }
      setAt(before ?? Math.round(share * last));
    }

    function setAt(wanted) {
      at = clamp(wanted, 0, last);
      range.value = at;
      slots.forEach(show);
      const share = at / last;
      const mark = by === "layer" ? depthName(at) : `${Math.round(100 * share)} %`;
      range.setAttribute("aria-valuetext", `${mark}. ${slots.map((slot) => `${slot.capture.model.name}: ${slot.depth.textContent}`).join("; ")}`);
      output.textContent = mark;
      output.style.left = percent(START + LENGTH * share);
      output.style.transform = `translateX(${percent(-100 * share)})`;
      for (const button of steps) {
        const target = at + Number(button.dataset.step);
        button.setAttribute("aria-disabled", String(target < 0 || target > last));
      }
      if (mayPreload) preloadNeighbours();
    }

    function preloadNeighbours() {
      const form = phone.matches ? "phone" : "wide";
      for (const slot of slots) {
        for (const position of [at + 1, at - 1]) {
          if (position < 0 || position > last) continue;
          const plate = plateOf(slot.capture, depthOf(slot, position), form);
          if (!plate || preloaded.has(plate.src)) continue;
          const image = new Image();
          image.src = plate.src;
          preloaded.set(plate.src, image);
          if (preloaded.size > 64) preloaded.delete(preloaded.keys().next().value);
        }
      }
    }

    function drawScale() {
      const marks = [];
      const place = (position, text, anchor = "middle") => {
        const x = percent(START + (LENGTH * position) / last);
        marks.push(element("line", { x1: x, x2: x, y1: 6, y2: text ? 14 : 10, class: text ? "major" : "minor" }));
        if (text) {
          const label = element("text", { x: { start: "0%", end: "100%", middle: x }[anchor], y: 28, "text-anchor": anchor });
          label.textContent = text;
          marks.push(label);
        }
      };
      marks.push(element("line", { x1: percent(START), x2: percent(START + LENGTH), y1: 6, y2: 6 }));
      place(0, "embedding", "start");
      place(last, by === "layer" ? depthName(last) : "last layer", "end");
      if (by === "relative") {
        for (let tick = 5; tick < 100; tick += 5) place((last * tick) / 100, tick % 25 ? null : `${tick} %`);
      } else {
        const step = [1, 2, 5, 10, 20, 50].find((size) => last / size <= 7) ?? 100;
        for (let depth = 1; depth < last; depth += 1) {
          const fits = (depth - 1) % step === 0 && depth / last > 0.16 && depth / last < 0.86;
          place(depth, fits ? String(depth - 1) : null);
        }
      }
      scale.replaceChildren(...marks);
    }

    function element(name, attributes) {
      const made = document.createElementNS(scale.namespaceURI, name);
      for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
      return made;
    }

    // --- the address: #a=model/context/projection&b=…&by=relative&at=0.42 ---

    function address() {
      const chosen = slots.map(({ capture: found }, index) => {
        const names = namesOf(found);
        return `${LETTERS[index]}=${PARTS.map((part) => encodeURIComponent(names[part])).join("/")}`;
      });
      const place = by === "layer" ? depthName(at).replace(" ", "-") : Number((at / last).toFixed(4));
      return `#${[...chosen, `by=${by}`, `at=${place}`].join("&")}`;
    }

    function noteAddress() {
      clearTimeout(addressTimer);
      addressTimer = setTimeout(() => history.replaceState(null, "", address()), ADDRESS_DELAY);
    }

    function openAddress() {
      clearTimeout(addressTimer);
      const wanted = new URLSearchParams(location.hash.slice(1));
      const chosen = LETTERS.map((letter) => wanted.get(letter)).filter(Boolean).map((text) => {
        const [model, context, projection] = text.split("/");
        return { model, context, projection };
      }).filter(({ model }) => data.models.some(({ slug }) => slug === model));
      if (!chosen.length) {
        if (!location.hash.includes("by=")) return;
        chosen.push(...slots.map(({ capture: found }) => namesOf(found)));
      }
      const all = allCaptures();
      while (chosen.length < Math.min(2, nStart)) {
        chosen.push(all.find((names) => names.model !== chosen[0].model) ?? all.find((names) => !isSame(names, chosen[0])));
      }
      while (slots.length > chosen.length) discard(slots.at(-1));
      while (slots.length < chosen.length) slots.push(appendSlot());
      chosen.forEach((names, index) => fill(slots[index], names));
      setBy(wanted.get("by") === "layer" ? "layer" : "relative");
      const place = wanted.get("at") ?? "";
      const layer = /^layer-(\d+)$/.exec(place);
      at = layer ? Number(layer[1]) + 1 : 0;
      const share = Number.parseFloat(place);
      refresh(by === "relative" ? clamp(Number.isFinite(share) ? share : data.opening, 0, 1) : undefined);
    }

    function setBy(wanted) {
      by = wanted;
      for (const radio of radios) radio.checked = radio.value === by;
    }

    // --- what a reader does ---

    function go(wanted) {
      setAt(wanted);
      noteAddress();
    }

    range.addEventListener("input", () => go(Number(range.value)));
    for (const button of steps) button.addEventListener("click", () => go(at + Number(button.dataset.step)));
    for (const radio of radios) {
      radio.addEventListener("change", () => {
        setBy(radio.value);
        refresh();
        noteAddress();
      });
    }
    add?.addEventListener("click", () => {
      const taken = slots.map(({ capture: found }) => namesOf(found));
      const all = allCaptures();
      const fresh = all.find((names) => !taken.some((other) => other.model === names.model))
        ?? all.find((names) => !taken.some((other) => isSame(other, names))) ?? all[0];
      const slot = appendSlot();
      slots.push(slot);
      fill(slot, fresh);
      refresh();
      noteAddress();
      slot.selects.model.focus();
    });
    root.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      if (!move || event.target.matches("input, select") || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(move(at));
    });
    window.addEventListener("hashchange", openAddress);
    window.addEventListener("load", () => {
      mayPreload = true;
      preloadNeighbours();
    });

    const strips = [...ruler.querySelectorAll("[data-strip]")];
    slots = [...holder.querySelectorAll("[data-slot]")].map((slot, index) => listen(adopt(slot, strips[index])));
    for (const slot of slots) {
      fill(slot, Object.fromEntries(PARTS.map((part) => [part, slot.selects[part].value])));
    }
    refresh(data.opening);
    setBy(by); // some browsers remember what was chosen before a reload
    openAddress();
  }

  // --- tables that can be sorted ---

  function startTable(table) {
    const body = table.tBodies[0];
    const headings = [...table.querySelectorAll("th[data-column]")];

    function sortBy(heading, descending) {
      const column = Number(heading.dataset.column);
      const numbers = heading.classList.contains("number");
      const key = (row) => row.cells[column].dataset.sort;
      const compare = (one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = numbers ? Number(a) - Number(b) : a.localeCompare(b);
        return descending ? -order : order;
      };
      body.append(...[...body.rows].sort(compare));
      for (const each of headings) {
        each.removeAttribute("aria-sort");
        if (each === heading) each.setAttribute("aria-sort", descending ? "descending" : "ascending");
      }
    }

    for (const heading of headings) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const sorted = heading.getAttribute("aria-sort");
        sortBy(heading, sorted ? sorted === "ascending" : heading.classList.contains("number"));
      });
    }
    if (headings[1]) headings[1].setAttribute("aria-sort", "descending");
  }

  for (const root of document.querySelectorAll("[data-compare]")) startCompare(root);
  for (const table of document.querySelectorAll("table[data-sortable]")) startTable(table);
})();
