// needs: common.js captures.js explore/data.js explore/marks.js explore/trails.js
"use strict";

// What stands around the plots: the ruler, the legend that hides categories, pinned words, the axes of their trails, the search, and
// the table.
(() => {
  const MOST_FOUND = 10;
  const PER_PAGE = 20;
  const { make, clamp, depthName } = Tokviz;
  const { swatch } = Explore;

  function button(text, act) {
    const made = make("button", { type: "button" }, text);
    made.addEventListener("click", act);
    return made;
  }

  // A button per category; one that isn't pressed is hidden.
  class Legend {
    constructor(root, categories, toggled) {
      this.root = root;
      this.buttons = categories.map((label, category) => {
        const made = button(label, () => toggled(category));
        made.prepend(swatch([category]));
        return made;
      });
      this.all = button("Show all", () => {
        toggled(null);
        this.buttons[0].focus();
      });
      this.all.className = "all";
      this.all.hidden = true;
      root.replaceChildren(...this.buttons, this.all);
    }

    show(hidden) {
      this.buttons.forEach((each, category) => each.setAttribute("aria-pressed", String(!hidden.has(category))));
      this.all.hidden = hidden.size === 0;
    }
  }

  class Pins {
    constructor(root, unpin) {
      this.root = root;
      this.unpin = unpin;
      this.hint = root.querySelector(".hint");
    }

    show(rows, vocabulary) {
      if (!rows.length) {
        this.root.replaceChildren(this.hint);
        return;
      }
      this.root.replaceChildren(
        make("p", { class: "hint" }, "Pinned"),
        ...rows.map((row) => {
          const made = button(vocabulary.names[row], () => this.unpin(row));
          made.prepend(swatch(vocabulary.memberships[row]));
          made.setAttribute("aria-label", `Unpin ${vocabulary.names[row]}`);
          return made;
        }),
        ...(rows.length > 1 ? [button("Unpin all", () => this.unpin(null))] : []));
    }
  }

  // Which axes the trails join, in a sentence; for turned ones also what differs after the turns, in each plot.
  class TrailAxes {
    constructor(root, chosen) {
      this.radios = [...root.querySelectorAll("input")];
      this.notes = [...root.querySelectorAll("[data-axes]")];
      this.remaining = root.querySelector("[data-remaining]");
      for (const radio of this.radios) radio.addEventListener("change", () => chosen(radio.value));
    }

    show(kind) {
      for (const radio of this.radios) radio.checked = radio.value === kind;
      for (const note of this.notes) note.hidden = note.dataset.axes !== kind;
    }

    describe(panels) {
      const names = panels.length > 1 ? ["First plot: ", "Second plot: "] : [""];
      this.remaining.replaceChildren(...panels.map(({ view, depth }, position) =>
        make("p", { class: "remaining" }, `${names[position]}${remaining(view, depth)}`)));
    }
  }

  function remaining(view, depth) {
    const { first, residuals } = Explore.aligned(view).until(depth);
    const nameOf = (at) => (at === 0 ? "the embedding" : depthName(at));
    if (depth === 0) return "At the embedding, no trail has a step yet.";
    if (!residuals.length) return `No earlier layer can be turned to fit ${nameOf(depth)}.`;
    const sorted = residuals.map((residual) => 100 * residual).sort((one, other) => one - other);
    const [least, most] = [sorted[0], sorted.at(-1)].map(Math.round);
    const median = Math.round((sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2);
    const range = least < most ? `${least}–${most}` : least || "less than 1";
    const middle = least < most ? ` (median ${median}\u00a0%)` : "";
    const broken = first ? ` Trails begin at ${nameOf(first)}: ${nameOf(first - 1)} can’t be turned to fit it.` : "";
    return `From ${nameOf(first)} to ${nameOf(depth)}, ${range}\u00a0% of the words’ variance still differs between neighboring layers after the turns${middle}.${broken}`;
  }

  // The W3C's combobox with a list: arrows choose, Enter pins, Escape closes.
  class Search {
    constructor(input, list, { find, describe, point, pin }) {
      Object.assign(this, { input, list, find, describe, point, pin, rows: [], at: -1 });
      input.addEventListener("input", () => this.open());
      input.addEventListener("focus", () => this.open());
      input.addEventListener("blur", () => this.close());
      input.addEventListener("keydown", (event) => this.onKey(event));
      // Pointing at the list must not take the focus from the field.
      list.addEventListener("pointerdown", (event) => event.preventDefault());
      list.addEventListener("click", (event) => {
        const option = event.target.closest("[role=option]");
        if (option) this.choose(Number(option.dataset.index));
      });
    }

    open() {
      this.rows = this.find(this.input.value, MOST_FOUND);
      this.at = -1;
      this.list.replaceChildren(...this.rows.map((row, index) => {
        const { word, category } = this.describe(row);
        return make("li", { id: `found-${index}`, "data-index": index, role: "option", "aria-selected": "false" },
          Explore.shortened(word), " ", make("small", {}, category));
      }));
      this.show(this.rows.length > 0);
    }

    show(open) {
      this.list.hidden = !open;
      this.input.setAttribute("aria-expanded", String(open));
      if (!open) this.input.removeAttribute("aria-activedescendant");
    }

    close() {
      this.show(false);
    }

    move(by) {
      if (this.list.hidden) this.open();
      if (!this.rows.length) return;
      this.at = (this.at + by + this.rows.length + (this.at < 0 && by < 0 ? 1 : 0)) % this.rows.length;
      [...this.list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === this.at)));
      this.input.setAttribute("aria-activedescendant", `found-${this.at}`);
      this.list.children[this.at].scrollIntoView({ block: "nearest" });
      this.point(this.rows[this.at]);
    }

    choose(index) {
      const row = this.rows[index];
      if (row === undefined) return;
      this.input.value = "";
      this.rows = [];
      this.close();
      this.pin(row);
    }

    onKey(event) {
      const keys = {
        ArrowDown: () => this.move(1),
        ArrowUp: () => this.move(-1),
        Enter: () => this.choose(Math.max(this.at, 0)),
        Escape: () => {
          if (this.list.hidden) this.input.value = "";
          this.close();
        },
      };
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    }
  }

  // The words that are shown, a page at a time; `turned` is called when a reader opens another page.
  class Table {
    constructor(root, pin, turned) {
      this.body = root.querySelector("tbody");
      this.caption = root.querySelector("caption");
      this.near = root.querySelector("thead th:last-child");
      this.filter = root.querySelector("#filter");
      this.pageButtons = [...root.querySelectorAll("[data-page]")];
      this.pin = pin;
      this.page = 0;
      this.filter.addEventListener("input", () => {
        this.page = 0;
        if (this.panel) this.draw();
      });
      for (const pageButton of this.pageButtons) {
        pageButton.addEventListener("click", () => {
          if (pageButton.getAttribute("aria-disabled") === "true") return;
          this.page += Number(pageButton.dataset.page);
          this.draw();
          turned();
        });
      }
    }

    show(panel, visible, pins, categories) {
      Object.assign(this, { panel, visible, pins, categories });
      this.draw();
    }

    draw() {
      const { panel, visible, pins } = this;
      const { vocabulary } = panel.view;
      const found = this.filter.value.trim() ? vocabulary.find(this.filter.value) : [...vocabulary.words.keys()];
      const others = found.filter((row) => visible[row] && !pins.includes(row));
      const rows = [...pins.filter((row) => visible[row] && found.includes(row)), ...others];
      const pages = Math.max(1, Math.ceil(rows.length / PER_PAGE));
      this.page = clamp(this.page, 0, pages - 1);
      const first = this.page * PER_PAGE;
      const onPage = rows.slice(first, first + PER_PAGE);
      this.caption.textContent = rows.length
        ? `${panel.name}, ${depthName(panel.depth)}: words ${first + 1}–${first + onPage.length} of ${rows.length.toLocaleString("en")}, the pinned ones first`
        : "No word found.";
      this.near.textContent = panel.view.fullSpace ? "Nearest words" : "Nearest in the plot";
      this.body.replaceChildren(...onPage.map((row) => this.row(row)));
      for (const pageButton of this.pageButtons) {
        const target = this.page + Number(pageButton.dataset.page);
        pageButton.setAttribute("aria-disabled", String(target < 0 || target >= pages));
      }
    }

    row(row) {
      const facts = this.panel.facts(row, this.categories);
      const pinned = this.pins.includes(row);
      const name = button(facts.word, () => {
        this.pin(row);
        this.body.querySelector(`[data-row="${row}"]`)?.focus();
      });
      name.dataset.row = row;
      name.title = pinned ? "Unpin" : "Pin";
      name.setAttribute("aria-pressed", String(pinned));
      const numbers = (facts.values ?? ["–", "–"]).map((value) => (typeof value === "number" ? Explore.number(value) : value));
      const cells = [facts.category, facts.tokens, ...numbers, facts.neighbours.join(", ")].map((text, index) =>
        make("td", index === 2 || index === 3 ? { class: "number" } : {}, text));
      return make("tr", {}, make("th", { scope: "row" }, name), ...cells);
    }
  }

  // The depth ruler of the model that is shown first: its slider, ticks, stages and curves.
  class Ruler {
    constructor(root, moved) {
      this.root = root;
      this.range = root.querySelector("input[type=range]");
      this.output = root.querySelector("output");
      this.scale = root.querySelector(".scale");
      this.names = root.querySelector(".names");
      this.plate = root.querySelector(".plate");
      // The slider says all that the links do.
      this.scale.setAttribute("aria-hidden", "true");
      Tokviz.listenToSlider(this.range, moved);
    }

    // On a phone it sticks to the top as long as the pictures are seen below it.
    stickOver(pictures) {
      new IntersectionObserver((entries) => {
        this.root.toggleAttribute("data-released", !entries.at(-1).isIntersecting);
      }, { rootMargin: `-${this.root.offsetHeight}px 0px 0px` }).observe(pictures);
    }

    setView(view) {
      if (view === this.view) return;
      this.view = view;
      this.last = view.last;
      this.range.max = view.last;
      this.root.classList.toggle("ruler-measured", view.measures !== null);
      // As tokviz/pages/charts/axis.py draws them on all rulers; the names lie over the slider's handle.
      const { lines = "", names = "" } = view.measures ?? {};
      this.names.innerHTML = names;
      this.scale.innerHTML = lines;
      this.scale.append(Tokviz.rulerFoot(...Tokviz.axis(Tokviz.depthTicks(view.last), view.last)));
      const { strip } = view.capture.shown;
      if (this.plate) this.plate.hidden = !strip;
      if (this.plate && strip) this.setStrip(strip, view);
    }

    setStrip(strip, view) {
      const alt = `${Tokviz.captures.label(view.capture)}: all ${view.last + 1} depths, without labels`;
      Tokviz.setStrip(this.plate, strip, alt);
    }

    setDepth(depth, text) {
      this.range.value = depth;
      this.range.setAttribute("aria-valuetext", text);
      if (this.output.value !== depthName(depth)) this.output.value = depthName(depth);
      Tokviz.placeLabel(this.output, depth, this.last);
    }
  }

  Object.assign(Explore, { Legend, Pins, TrailAxes, Search, Table, Ruler });
})();
