"use strict";

// Saves a plot of a relation or an order as it is seen: above it the model, below it what its numbers say and how it is read.
Tokviz.take.savers.related = (() => {
  const { picture } = Tokviz;
  const MARGIN = 8;
  const HEAD = 24;
  const LINE = 18;
  const SIZE = 12;

  function linesOf(text, width) {
    const lines = [];
    for (const word of text.split(" ").filter(Boolean)) {
      const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
      if (lines.length && picture.widthOf(longer, SIZE) <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  }

  const textOf = (text, y, fill, weight = 400) => ({
    text, x: MARGIN, y, size: SIZE, weight, anchor: "start", width: picture.widthOf(text, SIZE, weight), fill,
  });

  function sheetOf(pane, drawing) {
    const box = drawing.getBoundingClientRect();
    const { color } = getComputedStyle(pane);
    const texts = [".related-said", ".related-how"].map((name) => pane.querySelector(name).textContent);
    const below = texts.flatMap((text) => linesOf(text, box.width - 2 * MARGIN));
    return {
      width: box.width,
      height: HEAD + box.height + LINE * below.length + MARGIN,
      ground: getComputedStyle(drawing.parentElement).backgroundColor,
      title: drawing.getAttribute("aria-label"),
      description: texts.join(" "),
      groups: [
        { name: "model", shapes: [textOf(pane.dataset.model, HEAD - MARGIN, color, 600)] },
        { name: "plot", shapes: picture.shapesOf(drawing, [box.left, box.top - HEAD]) },
        { name: "notes", shapes: below.map((text, index) => textOf(text, HEAD + box.height + LINE * (index + 0.75), color)) },
      ],
    };
  }

  return async (control, form) => {
    const pane = control.closest(".related-pane");
    const drawing = pane.querySelector("svg");
    if (!drawing) return "There is no plot here.";
    await picture.save(sheetOf(pane, drawing), pane.dataset.file, form);
    return "Saved.";
  };
})();
