// needs: common.js
"use strict";

// A button that plays, from one place to the next until the last one, and from the first where that is shown. `at` and `last` say where
// it is and ends, `go` goes to a place. Without a button nothing plays.
Tokviz.player = (button, { at, last, go }) => {
  // Until the next place, in milliseconds: words have moved by then.
  const PACE = 900;
  let timer = null;

  function show(text, isPlaying) {
    button?.replaceChildren(text);
    button?.setAttribute("aria-pressed", String(isPlaying));
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    show("Play", false);
  }

  function start() {
    go(at() === last() ? 0 : at() + 1);
    timer = setInterval(() => {
      if (at() === last()) stop();
      else go(at() + 1);
    }, PACE);
    show("Stop", true);
  }

  button?.addEventListener("click", () => (timer === null ? start() : stop()));
  return { stop };
};
