"use strict";

// Saves a plot that is drawn: drawing, key and notes as they are seen, and a line that says which PCA it is.
Tokviz.take.savers.plate = (() => {
  const { picture, plateText, take } = Tokviz;
  const FOOT = 24;
  const FOOT_SIZE = 11;

  // A text of the page, which stands in one line.
  function lineOf(element, text, { left: from, top, bottom }, [left, up]) {
    const style = getComputedStyle(element);
    const [size, weight] = [Number.parseFloat(style.fontSize), style.fontWeight];
    const [width] = plateText.measure([text], size, Number(weight) >= 600);
    return {
      text, x: from - left, y: (top + bottom) / 2 - up + 0.34 * size, size, weight, anchor: "start", width,
      fill: style.color, underlined: style.textDecorationLine.includes("underline"),
    };
  }

  function keyOf(button, origin) {
    const name = button.querySelector("span");
    const box = name.getBoundingClientRect();
    const { fontSize, fontWeight } = getComputedStyle(name);
    // One that the page cuts off ends as it does there.
    const text = plateText.fitted(name.textContent, box.width + 0.5, Number.parseFloat(fontSize), Number(fontWeight) >= 600);
    return [...picture.shapesOf(button.querySelector("svg"), origin), lineOf(name, text, box, origin)];
  }

  // The words of a note where the page has broken it into lines; what follows its first text is for readers of the page.
  function wordsOf(line, index) {
    const text = line.firstChild;
    return [...text.data.matchAll(/\S+/g)].map(({ 0: word, index: at }) => {
      const range = new Range();
      range.setStart(text, at);
      range.setEnd(text, at + word.length);
      return { word, box: range.getBoundingClientRect(), before: index && !at ? " · " : " " };
    });
  }

  function notesOf(note, origin) {
    const lines = [];
    for (const { word, box, before } of [...note.children].flatMap(wordsOf)) {
      const line = lines.at(-1);
      if (line && Math.abs(line.box.top - box.top) < 2) line.text += before + word;
      else lines.push({ text: word, box });
    }
    return lines.map(({ text, box }) => lineOf(note, text, box, origin));
  }

  function sheetOf(drawing, key) {
    const box = drawing.getBoundingClientRect();
    const origin = [box.left, box.top];
    const [width, height] = [box.width, box.height + FOOT];
    const { projection } = drawing.dataset;
    const note = key.querySelector(".plate-note");
    const foot = `${projection[0].toUpperCase()}${projection.slice(1)} PCA`;
    return {
      width,
      height,
      ground: getComputedStyle(drawing.parentElement).backgroundColor,
      title: [...drawing.querySelectorAll(".plate-head text")].map((each) => each.textContent).join(" "),
      description: drawing.getAttribute("aria-label"),
      groups: [
        ...[...drawing.children].map((group) => ({
          name: group.getAttribute("class").replace("plate-", ""), shapes: picture.shapesOf(group, origin),
        })),
        { name: "key", shapes: [...key.querySelectorAll("button")].flatMap((button) => keyOf(button, origin)) },
        { name: "notes", shapes: notesOf(note, origin) },
        { name: "foot", shapes: [{
          text: foot, x: 8, y: height - 8, size: FOOT_SIZE, weight: 400, anchor: "start",
          width: picture.widthOf(foot, FOOT_SIZE), fill: getComputedStyle(note).color,
        }] },
      ],
    };
  }

  return async (control, form) => {
    const plot = take.plotOf(control);
    const drawing = plot.querySelector(".plate-svg[role=img]");
    if (!drawing) {
      if (!take.plateOf(control).getClientRects().length) return "There is no plot here.";
      // Where there is too little space to draw, the image is what is seen.
      if (!await picture.saveImage(take.imageOf(control))) return "Opened; save it from there.";
      return form === "png" ? "Saved." : "Saved as PNG.";
    }
    // Words that still move are saved where they go to.
    for (const each of drawing.getAnimations({ subtree: true })) each.finish();
    await picture.save(sheetOf(drawing, plot.querySelector(".plate-key")), drawing.dataset.name, form);
    return "Saved.";
  };
})();
