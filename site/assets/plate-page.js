"use strict";

// Which plates of a page are drawn: a carousel's, small ones and twins once they are near, a story's, and those of the compare page.
Tokviz.drawPlates = (content) => {
  const { plateSmall } = Tokviz;
  const board = new Tokviz.Board(content);

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
    board.use(Tokviz.captureOf(content, { context, projection }), (about) => board.draw(holder, { about, depth, ...options }), () => {
      holder.querySelector("img").removeAttribute("data-late");
    });
  }

  // What each place shall show: its coordinates may come after it shows something else.
  const wanted = new WeakMap();

  // A plot that stays in view, as large as its place; without a key where there is little space.
  function stage(event) {
    event.preventDefault();
    const { target: holder, detail } = event;
    const { context, depth } = detail;
    wanted.set(holder, detail);
    board.use(Tokviz.captureOf(content, { context }), (about) => {
      if (wanted.get(holder) === detail) board.draw(holder, { about, depth, fills: true });
    }, () => holder.querySelector("img").removeAttribute("data-late"));
  }

  function slot({ target, detail }) {
    const { capture, depth } = detail;
    wanted.set(target, detail);
    const model = { ...capture.model, data: `${content.data}/${capture.model.slug}` };
    board.use({ ...capture, model }, (about) => {
      if (wanted.get(target) === detail) board.draw(target, { about, depth });
    }, () => {
      board.forget(target);
      target.closest("[data-compare]").removeAttribute("data-drawable");
    });
  }

  for (const root of document.querySelectorAll("[data-viewer]")) new Tokviz.PlateCarousel(board, root);
  for (const input of document.querySelectorAll("[data-find]")) Tokviz.plateFind(board, input);
  document.addEventListener("near", near);
  document.addEventListener("slot", slot);
  document.addEventListener("stage", stage);
};
