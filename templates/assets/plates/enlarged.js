// needs: common.js
"use strict";

// A plate that is drawn in the page, or will be, is drawn in the dialog that enlarges it, too: in the page's colors and with its scale.
Tokviz.enlargePlates = (board) => {
  // In a lower window, as of a page enlarged four times, an image that can be moved shows more, in pixels.
  const LEAST_HEIGHT = 240;

  // What a link's plate is made of; in a carousel one steps faster than plates are drawn.
  function whatIsDrawn(link) {
    const panel = link.closest(".panel[data-drawable]");
    if (!panel) return board.plates.get(link);
    const about = board.abouts.get(Tokviz.findCapture(board.index.models, panel.dataset).key);
    const depth = [...panel.querySelectorAll(".slide")].indexOf(link.closest(".slide"));
    return about?.view.has(depth) ? { about, depth } : null;
  }

  document.addEventListener("enlarge", (event) => {
    const { holder, box } = event.detail;
    const { about, depth } = whatIsDrawn(event.target) ?? {};
    const isHighEnough = holder.closest("figure").clientHeight >= LEAST_HEIGHT;
    if (about?.view.extents[depth] && isHighEnough) board.draw(holder, { about, depth, frame: holder.closest("figure"), fills: true });
    else board.forget(holder);
    const found = board.plates.get(holder);
    if (!found || !board.layoutOf(found)) return;
    event.preventDefault();
    box.addEventListener("close", () => board.forget(holder), { once: true });
  });
};
