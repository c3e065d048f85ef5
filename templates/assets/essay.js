// needs: common.js
"use strict";

// A [data-steps] figure shows one of its plots at a time: buttons and a slider above them, a swipe, or the keys of what has the focus.
(() => {
  const { clamp, make } = Tokviz;

  function controlsOf(frames) {
    const range = make("input", { type: "range", min: 0, max: frames.length - 1, value: 0, step: 1, autocomplete: "off", "aria-label": "Plot" });
    const buttons = [[-1, "Previous", "←"], [1, "Next", "→"]].map(([step, name, text]) => make("button", { type: "button", "data-step": step, "aria-label": name }, text));
    const output = make("output", { "aria-live": "polite" });
    const steps = make("div", { class: "steps" });
    steps.append(...buttons);
    const root = make("div", { class: "place-steps" });
    root.append(steps, range, output);
    return { root, range, buttons, output };
  }

  function start(figure) {
    const track = figure.querySelector(".place-frames");
    const frames = [...track.children];
    const source = figure.querySelector(".place-source");
    const { root, range, buttons, output } = controlsOf(frames);
    let shown = -1;

    // Names what is seen, fetches what may be next, and leaves the others to neither keys nor screen readers.
    function say(index) {
      if (index === shown) return;
      shown = index;
      const name = frames[index].getAttribute("aria-label");
      range.value = index;
      range.setAttribute("aria-valuetext", name);
      output.value = name;
      // The link under the plots leads to the one that is seen.
      source.href = frames[index].querySelector(".place-name a").href;
      Tokviz.markSteps(buttons, index, frames.length - 1);
      frames.forEach((frame, place) => { frame.inert = place !== index; });
    }

    function fetchNear() {
      for (const frame of [frames[shown - 1], frames[shown], frames[shown + 1]]) {
        const image = frame?.querySelector("img");
        if (image) Tokviz.decodeAhead(image);
      }
    }

    function go(wanted) {
      say(clamp(wanted, 0, frames.length - 1));
      track.scrollTo({ left: shown * track.clientWidth, behavior: "instant" });
      fetchNear();
    }

    range.addEventListener("input", () => go(Number(range.value)));
    for (const button of buttons) button.addEventListener("click", () => go(shown + Number(button.dataset.step)));
    track.addEventListener("scroll", () => {
      if (!track.clientWidth || matchMedia("print").matches) return;
      say(clamp(Math.round(track.scrollLeft / track.clientWidth), 0, frames.length - 1));
      fetchNear();
    }, { passive: true });
    track.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || Tokviz.hasModifier(event)) return;
      event.preventDefault();
      go(shown + step);
    });
    Tokviz.onNewWidth(track, () => track.scrollTo({ left: shown * track.clientWidth, behavior: "instant" }));
    new IntersectionObserver((entries, observer) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      observer.disconnect();
      fetchNear();
    }, { rootMargin: "500px" }).observe(figure);
    track.before(root);
    say(0);
  }

  for (const figure of document.querySelectorAll("[data-steps]")) start(figure);
})();
