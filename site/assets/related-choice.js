"use strict";

// The choice of a relation or an order in place of all words: a list in the page, a part of its address, and figures that show what is
// chosen. What draws it is loaded once it is needed.
(() => {
  const SCRIPT = document.currentScript.src.replace(/[^/]*$/, "related-plot.js");

  Tokviz.RelatedChoice = class {
    // changed() is called when a reader chooses something else.
    constructor(root, changed) {
      this.root = root;
      this.select = root.querySelector("[data-related-choice]");
      this.hosts = [];
      this.turn = 0;
      this.changed = changed;
      this.select.addEventListener("change", changed);
    }

    get isChosen() {
      return this.select.value !== "";
    }

    // What an address ends with.
    get address() {
      return this.isChosen ? `&related=${encodeURIComponent(this.select.value)}` : "";
    }

    // Chooses what an address names; all words where there is nothing of that name.
    open(name = "") {
      const key = Tokviz.decode(name);
      this.select.value = [...this.select.options].some(({ value }) => value === key) ? key : "";
    }

    // Shows what is chosen in these figures, and plates in all others: each has a `host`, and what Tokviz.related.show takes.
    show(figures) {
      const turn = ++this.turn;
      const { root, select, isChosen } = this;
      root.toggleAttribute("data-related-chosen", isChosen);
      for (const each of root.querySelectorAll("[data-all-words]")) each.inert = isChosen;
      const hosts = isChosen ? figures.map(({ host }) => host) : [];
      for (const host of this.hosts) if (!hosts.includes(host)) Tokviz.related?.hide(host);
      this.hosts = hosts;
      if (!isChosen) return;
      // A page may have it from the beginning.
      Promise.resolve(Tokviz.related ?? Tokviz.loadScripts([SCRIPT])).then(() => {
        if (turn === this.turn) for (const { host, ...each } of figures) Tokviz.related.show(host, select.value, each);
      }, () => this.giveUp());
    }

    // In the slides of a carousel's panels that are seen, and in those that a swipe leads to.
    showSlides({ dataset: source }, panels, depth) {
      this.show(panels.flatMap(({ root, context, slides }) => [depth, depth - 1, depth + 1].filter((each) => slides[each]).map((each) => ({
        host: slides[each].querySelector("figure"), source, context, depth: each, isMeasured: root.hasAttribute("data-has-relations"),
      }))));
    }

    // Plates are all that there is.
    giveUp() {
      if (this.select.disabled) return;
      this.select.value = "";
      this.select.disabled = true;
      this.changed();
    }

    // The choice of a page; undefined where there is none.
    static of(root, changed) {
      return root.querySelector("[data-related-choice]") ? new Tokviz.RelatedChoice(root, changed) : undefined;
    }
  };
})();
