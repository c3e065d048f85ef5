"use strict";

// How wide texts are, in the fonts of a plate as the page has them; what is measured once is kept.
Tokviz.plateText = (() => {
  const { svg } = Tokviz;
  // In characters; the ends of a longer name are what tells it from others.
  const LONGEST = 24;
  const widths = new Map();
  document.fonts?.addEventListener("loadingdone", () => widths.clear());

  const keyOf = (text, size, bold) => `${size} ${bold ? "b" : ""} ${text}`;

  // The widths of texts of one size in pixels, all measured in one step.
  function measure(texts, size, bold = false) {
    const fresh = [...new Set(texts)].filter((text) => !widths.has(keyOf(text, size, bold)));
    if (fresh.length) {
      const box = svg("svg", { class: "plate-svg plate-measure", "aria-hidden": "true" });
      box.append(...fresh.map((text) => svg("text", { "font-size": size, "font-weight": bold ? 600 : 400 }, text)));
      document.body.append(box);
      [...box.children].forEach((each, index) => widths.set(keyOf(fresh[index], size, bold), each.getComputedTextLength()));
      box.remove();
    }
    return texts.map((text) => widths.get(keyOf(text, size, bold)));
  }

  const fitted = (text, width, size, bold) => Tokviz.fitted(text, width, (each) => measure([each], size, bold)[0]);

  function shortened(word) {
    const characters = [...word.trim()];
    return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
  }

  // How far letters reach above and below their line, as shares of the size of text.
  const PLAIN = /^[A-Za-z0-9]+$/;
  const BELOW = /[gjpqyQJ]/;
  function reachOf(text) {
    if (!PLAIN.test(text)) return [0.78, 0.26];
    return [0.73, BELOW.test(text) ? 0.22 : 0.03];
  }

  return { measure, fitted, shortened, reachOf };
})();
