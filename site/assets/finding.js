"use strict";

// The first page's picture: buttons and arrow keys change between its two states. Once the page has loaded and rests, the picture
// is drawn, and words move; until then, and where it can't be drawn, one image takes the other's place.
(() => {
  const root = document.querySelector("[data-finding]");
  const buttons = [...root.querySelectorAll(".states button")];
  const figures = [...root.querySelectorAll(".state")];
  const said = root.querySelector(".states-say");
  const source = root.querySelector("[data-two-states]");
  let shown = 0;
  let drawing = null;

  // `#state-2` is the second one.
  function openAddress() {
    const [, number] = location.hash ? /^#state-(\d)$/.exec(location.hash) ?? [] : [null, 1];
    if (buttons[number - 1]) show(number - 1);
  }

  function show(state) {
    if (state === shown) return;
    shown = state;
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(index === state)));
    figures.forEach((figure, index) => figure.toggleAttribute("data-shown", index === state));
    said.textContent = buttons[state].textContent;
    drawing?.show(state);
  }

  async function draw() {
    try {
      const content = JSON.parse(source.textContent);
      await Tokviz.loadScripts(content.scripts);
      drawing = await Tokviz.twoStates(root, content);
      drawing.show(shown);
    } catch {
      // The images are there.
    }
  }

  buttons.forEach((button, index) => button.addEventListener("click", () => show(index)));
  Tokviz.listenToKeys(root, () => shown, (wanted) => show(Tokviz.clamp(wanted, 0, buttons.length - 1)));
  root.addEventListener("address", ({ detail }) => {
    detail.fragment = shown ? `#state-${shown + 1}` : "";
  });
  addEventListener("hashchange", openAddress);
  openAddress();
  const drawSoon = () => window.requestIdleCallback ? requestIdleCallback(draw, { timeout: 1000 }) : setTimeout(draw);
  // On a busy machine a page may never be idle.
  if (source) addEventListener("load", drawSoon);
})();
