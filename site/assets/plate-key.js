"use strict";

// The key of a plate: its categories as buttons, notes below them, and a line for those who don't see the drawing.
Tokviz.plateKey = (() => {
  const { plate } = Tokviz;

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const make = () => element("div", { class: "plate-key" });

  // Puts key and notes where the layout has them, which may have no place for the key.
  function place(key, about, { key: where, note: below, size }) {
    const notes = element("p", { class: "plate-note" });
    notes.toggleAttribute("data-column", below.isColumn);
    const said = element("p", { class: "plate-say", "aria-live": "polite" });
    const parts = where ? [[categoriesOf(about, where), where], [notes, below]] : [[notes, below]];
    for (const [each, { left, top, width }] of parts) Object.assign(each.style, { left: `${left}px`, top: `${top}px`, width: `${width}px` });
    key.style.fontSize = `${size}px`;
    key.replaceChildren(...parts.map(([each]) => each), said);
  }

  // A button for each category.
  function categoriesOf({ categories }, where) {
    const group = element("div", {
      class: "plate-categories", role: "group", "aria-label": "Categories; press one to see it alone",
    });
    group.append(...categories.map((label, category) => element("button", {
      type: "button", class: plate.hueOf(category), "aria-pressed": "false",
    }, plate.swatch(category, 9), element("span", {}, label))));
    group.style.gridTemplateRows = `repeat(${where.rows}, ${where.pitch}px)`;
    group.style.gridTemplateColumns = `repeat(${where.columns}, minmax(0, 1fr))`;
    return group;
  }

  // What hollow marks mean in a view, as the image says it; empty where there is none.
  function hollowNote({ view }) {
    const several = view.pieces.map((pieces) => pieces.length > 1);
    const anySeveral = several.some(Boolean);
    if (anySeveral && view.outside.size) {
      const same = several.every((each, row) => each === view.outside.has(row));
      return `hollow: several tokens ${same ? "and" : "or"} read at a different position`;
    }
    if (anySeveral) return "hollow: several tokens";
    return view.outside.size ? "hollow: read at a different position" : "";
  }

  // What hollow marks and arrows mean, and how many words are named.
  function note(key, about, { names, hasArrows }, isolated) {
    const notes = [hollowNote(about), hasArrows ? "arrow: lies beyond the axes" : ""];
    const { n, vocabulary } = about.view;
    const all = isolated === null ? n : vocabulary.memberships.filter((each) => each.includes(isolated)).length;
    const lines = notes.filter(Boolean).map((line) => element("span", {}, line));
    if (names.length < all) lines.push(element("span", {}, `${names.length} of ${all} words are named`, element("span", {}, "; point at the others")));
    key.querySelector(".plate-note").replaceChildren(...lines);
  }

  function press(key, isolated) {
    key.querySelectorAll("button").forEach((button, category) => {
      button.setAttribute("aria-pressed", String(category === isolated));
    });
  }

  // A word with its tokens, or a category with its words.
  function say(key, about, row, isolated) {
    const { names, memberships } = about.view.vocabulary;
    const ofCategory = () => names.filter((_, each) => memberships[each].includes(isolated)).join(", ");
    const text = row !== null ? `${names[row]}. ${plate.tokensOf(about, row)}` : `${about.categories[isolated]}: ${ofCategory()}`;
    key.querySelector(".plate-say").textContent = row === null && isolated === null ? "" : text;
  }

  return { make, place, note, press, say };
})();
