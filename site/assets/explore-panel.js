"use strict";

// One picture with its choice of model, context and projection, and what it says of the current word.
(() => {
  const PARTS = ["model", "context", "projection"];

  class Panel {
    // `on` is the plot's, and chosen(names) when the reader wants another capture.
    constructor(root, index, on) {
      this.root = root;
      this.index = index;
      this.on = on;
      this.plot = new Explore.Plot(root.querySelector("[data-plot]"), on);
      this.selects = Object.fromEntries(PARTS.map((part) => [part, root.querySelector(`[data-part=${part}]`)]));
      this.depthLabel = root.querySelector(".view-depth");
      this.readout = root.querySelector(".readout");
      this.depth = 0;
      for (const part of PARTS) {
        this.selects[part].addEventListener("change", () => on.chosen({ ...this.names(), [part]: this.selects[part].value }));
      }
      const zooms = { in: 1.6, out: 1 / 1.6, whole: null };
      for (const button of root.querySelectorAll("[data-zoom]")) {
        button.addEventListener("click", () => this.plot.zoomBy(zooms[button.dataset.zoom]));
      }
    }

    names() {
      const { model, context, shown } = this.capture;
      return { model: model.slug, context: context.name, projection: shown.name };
    }

    // Chooses a capture; its picture follows when its script has been loaded.
    async choose(capture) {
      this.capture = capture;
      const { model, context, shown } = capture;
      const choices = {
        model: [this.index.models.map(({ slug, name }) => [slug, name]), model.slug],
        context: [model.contexts.map(({ name, label }) => [name, label]), context.name],
        projection: [context.projections.map(({ name, label }) => [name, label]), shown.name],
      };
      for (const part of PARTS) {
        const [options, chosen] = choices[part];
        this.selects[part].replaceChildren(...options.map(([value, label]) => new Option(label, value)));
        this.selects[part].value = chosen;
        this.selects[part].parentElement.hidden = options.length === 1 && part !== "model";
      }
      this.name = `${model.name}, ${context.label}, ${shown.label}`;
      this.root.setAttribute("aria-label", this.name);
      this.plot.root.setAttribute("aria-label", this.name);
      const view = await this.index.view(capture);
      if (this.capture === capture) this.view = view;
      return this.capture === capture;
    }

    show(depth, seen) {
      this.depth = Explore.clamp(depth, 0, this.view.last);
      this.plot.seen = seen;
      if (this.plot.view === this.view) this.plot.moveTo(this.depth);
      else this.plot.setView(this.view, this.depth);
      this.depthLabel.textContent = Explore.depthName(this.depth);
    }

    fail(error) {
      this.plot.problem.hidden = false;
      this.plot.problem.textContent = error.message;
      this.plot.inner.style.visibility = "hidden";
    }

    // How a word's tokens look, a leading space made visible.
    tokens(row) {
      return this.view.pieces[row].map((piece) => piece.replace(/^[Ġ▁ ]/, "␣"));
    }

    // What is to be said of a word: its name, its facts, its neighbours.
    facts(row, categories) {
      const { words, memberships } = this.view.vocabulary;
      const pieces = this.tokens(row);
      const { rows, where } = this.view.neighbours(this.depth, row);
      return {
        word: words[row],
        category: memberships[row].map((category) => categories[category]).join(", "),
        tokens: pieces.map(Explore.isolated).join(" · "),
        count: pieces.length === 1 ? "one token" : `${pieces.length} tokens`,
        position: this.view.outside.has(row) ? "read at another position than most" : "",
        neighbours: rows.map((other) => Explore.isolated(words[other])),
        where,
        values: this.view.values(this.depth, row),
      };
    }

    tell(row, categories) {
      if (row === null) {
        this.readout.replaceChildren(paragraph("Point at a word, or find one by name, to see what stands near it.", "hint"));
        return;
      }
      const facts = this.facts(row, categories);
      const head = paragraph("", "word");
      const name = document.createElement("strong");
      name.textContent = facts.word;
      const code = document.createElement("code");
      code.textContent = facts.tokens;
      head.append(Explore.swatch(this.view.vocabulary.memberships[row], this.view.hollow[row]), " ", name, ` ${facts.category} · ${facts.count} `, code, facts.position ? ` · ${facts.position}` : "");
      const near = facts.neighbours.length
        ? `Nearest ${facts.where}: ${facts.neighbours.join(", ")}.`
        : "No neighbours: there is no picture of this depth.";
      this.readout.replaceChildren(head, paragraph(near, "near"));
    }
  }

  function paragraph(text, kind) {
    const made = document.createElement("p");
    made.className = kind;
    made.textContent = text;
    return made;
  }

  Explore.Panel = Panel;
  Explore.paragraph = paragraph;
})();
