// needs: common.js explore/data.js plates/enlarged.js plates/find.js plates/layout.js plates/movement.js plates/plate.js plates/scale.js
// after: plates/carousel.js
"use strict";

// The plates that are drawn in a page, in place of their images, which stay for printing and for what can't be drawn. A reader may
// point at a word, find one, and see one category alone: all plates show it, and it stays from layer to layer.
(() => {
  const { plate, plateKey, movement } = Tokviz;
  // How near a pointer or a finger must be, in pixels.
  const POINTER = 14;
  const FINGER = 24;
  // Until what isn't in sight follows, in milliseconds.
  const SOON = 120;
  // A page answers at once: names are placed for as many milliseconds at a time.
  const SLICE = 15;

  // Takes a generator's steps, a slice at a time, as long as its result is wanted; then act(what it returns).
  function inSlices(steps, isWanted, act) {
    setTimeout(() => {
      if (!isWanted()) return;
      const end = performance.now() + SLICE;
      do {
        const { done, value } = steps.next();
        if (done) return act(value);
      } while (performance.now() < end);
      inSlices(steps, isWanted, act);
    });
  }

  class Board {
    constructor(content) {
      this.index = new Explore.Index(content);
      // What plates are made of, by the key of their capture.
      this.abouts = new Map();
      // The plates by the elements that hold image and drawing.
      this.plates = new Map();
      this.rooms = new Map();
      // Rows of words, and categories: what is pointed at passes, what is chosen stays.
      this.pointed = this.chosen = null;
      this.previewed = this.isolated = null;
      // In the next frame: what is drawn may change the size of what is observed.
      this.resized = new ResizeObserver(() => {
        cancelAnimationFrame(this.frame);
        this.frame = requestAnimationFrame(() => {
          this.rooms.clear();
          for (const each of this.plates.values()) this.update(each);
        });
      });
      this.listen();
    }

    // Calls act(about) with what a capture's plate of a depth is made of, at once where it is known; or failed().
    use(capture, depth, act, failed) {
      const key = `${capture.key}${capture.extents ? " on common extents" : ""}${capture.strong ? " with strong words" : ""}`;
      const known = this.abouts.get(key);
      if (known) {
        if (known.view.has(depth)) act(known);
        else known.view.fetch(depth).then(() => act(known)).catch(failed);
        return;
      }
      // In tasks of their own, what takes longest first, so that a page answers in between.
      const inTurn = (value) => new Promise((done) => setTimeout(done, 0, value));
      Promise.all([this.index.view(capture, depth), document.fonts?.ready]).then(([view]) => {
        const { categories, longest } = this.index;
        if (!this.abouts.has(key)) this.abouts.set(key, { ...plate.about(capture.extents ? view.on(capture.extents) : view, capture, categories, longest), layouts: new Map() });
        const about = this.abouts.get(key);
        Tokviz.plateText.measure(about.labels, Tokviz.plateLayout.LEAST);
        return about.view.fetch(depth).then(() => inTurn(about));
      }).then((about) => {
        act(about);
      }).catch(failed);
    }

    // --- one plate ---

    // Draws a depth in `holder`, as wide as `frame`, and where it `fills` that, as high; what isn't `seen` follows a little later.
    // `from` is what was drawn of the layer before or after, from which the words move there.
    draw(holder, { about, depth, frame = holder, kind = plate, seen = true, fills = false, from = null }) {
      const found = this.plates.get(holder) ?? { holder, frame, kind, fills };
      const isNew = found.about !== about || found.depth !== depth;
      Object.assign(found, { about, depth, seen }, isNew ? { isolated: undefined } : {});
      if (!this.plates.has(holder)) this.resized.observe(frame);
      this.plates.set(holder, found);
      this.update(found);
      if (from) this.moveFrom(found, from, true);
    }

    // What is drawn of a plate, if it is.
    madeOf(holder) {
      const found = this.plates.get(holder);
      return (found?.drawing && found.made) ?? null;
    }

    // Whether the words may move in a step to the layer next to it: steps that follow each other closely are instant.
    mayStep() {
      const since = performance.now() - (this.stepped ?? -Infinity);
      this.stepped = performance.now();
      return since > movement.DURATION;
    }

    moveFrom(found, from, turns) {
      if (found.drawing && found.seen && found.made.marks) movement.follow(found, from, turns, () => this.pointed ?? this.chosen);
    }

    // All plates on another scale: the words move there.
    rescale() {
      for (const found of this.plates.values()) {
        const before = this.madeOf(found.holder);
        found.isolated = undefined;
        this.update(found);
        if (before && found.made.divided) this.moveFrom(found, before, false);
      }
    }

    forget(holder) {
      const found = this.plates.get(holder);
      if (!found) return;
      this.showImage(found);
      this.plates.delete(holder);
      if (![...this.plates.values()].some(({ frame }) => frame === found.frame)) this.resized.unobserve(found.frame);
    }

    update(found) {
      const { about, depth, kind } = found;
      const layout = about.view.extents[depth] ? this.layoutOf(found) : null;
      if (layout === null) this.showImage(found);
      // Nothing is seen while a window is rearranged.
      if (!layout) return;
      // Nobody waits yet for the first of a capture's plates, nor for one that isn't seen.
      if (kind === plate && !found.drawing && !(found.seen && about.isDrawn)) this.prepare(found, layout);
      else this.show(found, layout);
    }

    // Shows a plate once it is arranged, if nothing else is to be shown by then.
    prepare(found, layout) {
      const { about, depth } = found;
      const image = found.preparing?.image ?? found.holder.querySelector("img:not([data-late])");
      const arrangement = { mode: Tokviz.plotScale.mode, isolated: this.previewed ?? this.isolated, image };
      found.preparing = arrangement;
      // Its place is empty meanwhile, so that the image isn't fetched.
      image?.setAttribute("data-late", "");
      const isWanted = () => found.preparing === arrangement && this.plates.get(found.holder) === found;
      inSlices(plate.arrange(about, layout, depth, arrangement.isolated), isWanted, (arranged) => {
        const isNow = arrangement.mode === Tokviz.plotScale.mode && arrangement.isolated === (this.previewed ?? this.isolated);
        this.show(found, layout, isNow ? arranged : undefined);
      });
    }

    show(found, layout, arranged) {
      found.preparing?.image?.removeAttribute("data-late");
      found.preparing = null;
      if (!found.drawing) this.make(found);
      if (found.layout !== layout) this.fit(found, layout);
      found.drawing.setAttribute("aria-label", found.holder.querySelector("img").alt);
      // The drawing says it: a link's own name would lack the words that are seen in it.
      found.holder.removeAttribute("aria-label");
      this.setSeen(found.holder, found.seen);
      this.redraw(found, arranged);
      found.about.isDrawn = true;
    }

    showImage(found) {
      found.stop?.();
      found.preparing = null;
      found.holder.removeAttribute("data-drawn");
      const image = found.holder.querySelector("img");
      image.removeAttribute("data-late");
      if (found.holder.matches("a")) found.holder.setAttribute("aria-label", image.alt);
      found.drawing?.remove();
      found.key?.remove();
      Object.assign(found, { drawing: null, key: null, layout: null });
    }

    setSeen(holder, seen) {
      const found = this.plates.get(holder);
      found.seen = seen;
      if (found.key) found.key.inert = !seen;
    }

    make(found) {
      found.drawing = Tokviz.svg("svg", { class: "plate-svg", role: "img" });
      found.holder.append(found.drawing);
      if (found.kind === plate) {
        found.key = plateKey.create();
        found.holder.after(found.key);
      }
      found.holder.setAttribute("data-drawn", "");
    }

    fit(found, layout) {
      Object.assign(found, { layout, isolated: undefined });
      found.drawing.setAttribute("width", layout.width);
      found.drawing.setAttribute("height", layout.height);
      if (found.key) plateKey.place(found.key, found.about, layout);
    }

    redraw(found, arranged) {
      const { kind, drawing, about, layout, depth, key } = found;
      const isolated = this.previewed ?? this.isolated;
      if (found.isolated !== isolated) {
        found.isolated = isolated;
        found.stop?.();
        found.made = kind.draw(drawing, about, layout, depth, isolated, arranged);
        if (key) {
          plateKey.note(key, about, found.made, isolated);
          plateKey.showScale(key, found.made);
        }
      }
      kind.point(drawing, about, layout, found.made, this.pointed ?? this.chosen);
      this.fade(found, isolated);
      if (key) plateKey.press(key, this.isolated);
    }

    // Others than a category that is seen alone, or than those of a chosen word, are faint; else others than words that stand out.
    fade({ made, about, depth }, isolated) {
      const chosen = this.chosen === null ? null : about.view.vocabulary.memberships[this.chosen];
      const kept = isolated === null ? chosen : [isolated];
      const strong = about.capture.strong?.[depth] ?? [];
      const isOf = (own) => own.some((each) => (kept ?? strong.flatMap((row) => about.view.vocabulary.memberships[row])).includes(each));
      const isSeen = (categories, row) => (kept || row >= about.view.n ? isOf(categories) : strong.includes(row));
      for (const [part, categories, row] of made.parts) part.classList.toggle("faint", (kept !== null || strong.length > 0) && !isSeen(categories, row));
    }

    redrawAll() {
      const [seen, others] = [[], []];
      for (const found of this.plates.values()) {
        if (!found.holder.isConnected) this.forget(found.holder);
        else if (found.drawing) (found.seen ? seen : others).push(found);
      }
      for (const found of seen) this.redraw(found);
      clearTimeout(this.soon);
      this.soon = setTimeout(() => {
        for (const found of others) if (found.drawing) this.redraw(found);
      }, SOON);
    }

    // Laid out for the size at which it is shown; null where there is too little space, undefined where there is none.
    layoutOf(found) {
      const { about, kind, fills } = found;
      const [width, height] = this.sizeOf(found);
      if (!width) return undefined;
      const name = `${kind === plate ? "" : "small "}${width} ${height}${fills ? " filled" : ""}`;
      if (!about.layouts.has(name)) about.layouts.set(name, kind.layoutOf(about, width, height, fills));
      return about.layouts.get(name);
    }

    // A plate is as wide as its frame, and as high as its image would be, if it doesn't fill the frame. Measured once: what was
    // drawn just before would have to be laid out first.
    sizeOf({ holder, frame, fills }) {
      if (!this.rooms.has(frame)) this.rooms.set(frame, frame.getBoundingClientRect());
      const room = this.rooms.get(frame);
      if (fills) return [room.width, room.height];
      const [width, height] = Tokviz.formSize(holder);
      return [room.width, (room.width * height) / width];
    }

    // --- what a reader does ---

    listen() {
      document.addEventListener("pointermove", (event) => event.pointerType !== "touch" && this.hover(event));
      document.documentElement.addEventListener("pointerleave", () => {
        this.setPreviewed(null);
        this.setPointed(null);
      });
      document.addEventListener("scale", () => this.rescale());
      // Before the lightbox: at a word, a click doesn't enlarge the picture.
      document.addEventListener("click", (event) => this.click(event), { capture: true });
      // Wherever the focus is: what is pointed at may hide something.
      document.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.release();
        else this.onKey(event);
      });
    }

    hover(event) {
      const found = this.under(event.target);
      const button = event.target.closest?.(".plate-categories button");
      this.setPreviewed(button ? this.keyIndex(button) : null);
      this.setPointed(found ? this.rowAt(found, event, POINTER) : null);
    }

    setPreviewed(category) {
      if (category === this.previewed) return;
      this.previewed = category;
      this.redrawAll();
    }

    setPointed(row) {
      if (row === this.pointed) return;
      this.pointed = row;
      for (const { holder } of this.plates.values()) holder.classList.toggle("on-word", row !== null);
      this.redrawAll();
    }

    choose(row, where) {
      this.chosen = row;
      this.redrawAll();
      this.say(where);
      document.dispatchEvent(new CustomEvent("chosen", { detail: row }));
    }

    click(event) {
      const button = event.target.closest(".plate-categories button");
      if (button) return this.isolate(this.keyIndex(button), this.ofKey(button));
      const found = this.under(event.target);
      if (!found) return undefined;
      const row = this.rowAt(found, event, event.pointerType === "touch" ? FINGER : POINTER);
      if (row === null && this.chosen === null) return undefined;
      event.preventDefault();
      event.stopPropagation();
      return this.choose(row === this.chosen ? null : row, found);
    }

    isolate(category, where) {
      this.isolated = category === this.isolated ? null : category;
      this.previewed = null;
      this.redrawAll();
      this.say(where);
    }

    onKey(event) {
      if (Tokviz.hasModifier(event)) return;
      const button = event.target.closest?.(".plate-categories button");
      if (!button || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
      event.preventDefault();
      this.stepWord(this.ofKey(button), this.keyIndex(button), event.key === "ArrowDown" ? 1 : -1);
    }

    release() {
      if ((this.chosen ?? this.isolated ?? this.pointed ?? this.previewed) === null) return;
      this.pointed = this.previewed = this.isolated = null;
      this.choose(null);
    }

    // The next word of a category, in the list's order.
    stepWord(found, category, by) {
      const { memberships } = found.about.view.vocabulary;
      const rows = [...memberships.keys()].filter((row) => memberships[row].includes(category));
      const at = rows.indexOf(this.chosen);
      this.choose(rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length], found);
    }

    // What was chosen, for those who don't see it: said once, by the plate that was used.
    say(where = [...this.plates.values()].find(({ key, seen, holder }) => key && seen && holder.offsetWidth)) {
      if (where) plateKey.say(where.key, where.about, this.chosen, this.isolated);
    }

    // --- what is where ---

    keyIndex(button) {
      const key = button?.closest?.(".plate-key");
      return key ? [...key.querySelectorAll(".plate-categories button")].indexOf(button) : -1;
    }

    ofKey(button) {
      return [...this.plates.values()].find(({ key }) => key?.contains(button));
    }

    // Small ones say no word: they lead to the plate.
    under(target) {
      const drawing = target.closest?.(".plate-svg[role=img]");
      return drawing && [...this.plates.values()].find((each) => each.drawing === drawing && each.key);
    }

    // The word whose name or mark is under the pointer; a category that is seen alone has all of it.
    rowAt({ drawing, made, about, isolated }, { clientX, clientY }, most) {
      const box = drawing.getBoundingClientRect();
      const at = [clientX - box.left, clientY - box.top];
      const name = made.names.find((each) => at[0] > each.left && at[0] < each.right && at[1] > each.top - 1 && at[1] < each.bottom + 1);
      if (name) return name.row;
      const { memberships } = about.view.vocabulary;
      const rows = made.points.rows.filter((row) => isolated === null || memberships[row].includes(isolated));
      const { nearest } = Tokviz.plateLayout;
      return nearest(made.points, rows, at, most) ?? (made.band && nearest(made.band, rows, at, most));
    }
  }

  // Which plates of a page are drawn: a carousel's, small ones and twins once they are near, and those of the compare page.
  Tokviz.drawPlates = (content) => {
    const { plateSmall } = Tokviz;
    const board = new Board(content);

    function near(event) {
      event.preventDefault();
      const holder = event.target;
      // Twins are links themselves; what lies in a link is small.
      const small = !holder.matches("a");
      // A slide's address: context, depth, and where it isn't the first one, projection.
      const address = holder.dataset.slide ?? Tokviz.decode(holder.parentElement.hash.slice(1));
      const [context, at, projection] = address.split("/");
      const depth = Tokviz.parseDepth(at);
      const options = small ? { kind: plateSmall, seen: false, fills: true } : {};
      board.use(Tokviz.findCapture(content.models, { context, projection }), depth, (about) => board.draw(holder, { about, depth, ...options }), () => {
        holder.querySelector("img").removeAttribute("data-late");
      });
    }

    // What each place shall show: its coordinates may come after it shows something else.
    const wanted = new WeakMap();

    // Whether slots move, for all of them in one step.
    let mayMove = null;
    function mayStep() {
      if (mayMove === null) {
        mayMove = board.mayStep();
        queueMicrotask(() => { mayMove = null; });
      }
      return mayMove;
    }

    // What was drawn where a slot's words move from, if it shows the layer next to the one that it showed, or where it says so the same
    // layer of another capture.
    function stepFrom(target, about, depth, moves) {
      const before = board.plates.get(target);
      const isNext = before?.about === about && Math.abs(depth - before.depth) === 1;
      return (isNext || (moves && before?.depth === depth)) && mayStep() ? board.madeOf(target) : null;
    }

    function slot({ target, detail }) {
      const { capture, depth, isStep } = detail;
      wanted.set(target, detail);
      const model = { ...capture.model, data: `${content.data}/${capture.model.slug}` };
      board.use({ ...capture, model }, depth, (about) => {
        if (wanted.get(target) === detail) board.draw(target, { about, depth, from: stepFrom(target, about, depth, isStep) });
      }, () => {
        board.forget(target);
        target.closest("[data-drawable]")?.removeAttribute("data-drawable");
      });
    }

    for (const root of document.querySelectorAll("[data-viewer]")) new Tokviz.PlateCarousel(board, root);
    for (const input of document.querySelectorAll("[data-find]")) Tokviz.listenToFind(board, input);
    document.addEventListener("near", near);
    document.addEventListener("slot", slot);
    Tokviz.enlargePlates(board);
  };
})();
