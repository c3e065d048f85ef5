"use strict";

// The plot that stays in view beside the stages of a story: the stage that is read sets its layer, the first, the middle and the
// last of its small plots in turn. Scrolling writes no addresses and announces nothing.
(() => {
  // Where one reads, from the top of the window, or from the foot of a plot that is above the text.
  const READING = 0.45;
  // How long what has got the focus is shown, in milliseconds, although the window scrolls to it.
  const HELD = 400;

  function createStory(root) {
    const holder = root.querySelector("[data-story] .plate");
    const stops = [...root.querySelectorAll(".stage")].flatMap((stage) => {
      const links = [...stage.querySelectorAll(".plates a")];
      // While a stage without any is read, nothing is shown.
      return (links.length ? links : [null]).map((link, index) => ({ stage, link, share: index / links.length || 0 }));
    });
    return { root, context: root.dataset.context, holder, stops, shown: null, heldUntil: 0 };
  }

  // The last stop whose place in its stage is above the line at which one reads.
  function stopRead({ holder, stops }) {
    const [plot, first] = [holder.parentElement.getBoundingClientRect(), stops[0].stage.getBoundingClientRect()];
    const isAboveText = plot.right > first.left && plot.left < first.right;
    const top = isAboveText ? plot.height : 0;
    const line = Math.max(top + READING * (innerHeight - top), isAboveText ? plot.bottom : 0);
    const isAbove = ({ stage, share }) => {
      const box = stage.getBoundingClientRect();
      return box.top + share * box.height <= line;
    };
    return stops.findLast(isAbove) ?? stops[0];
  }

  // A copy of the carousel's own image, which is shown where nothing can be drawn.
  function show(story, stop) {
    if (story.shown === stop) return;
    story.shown?.link?.removeAttribute("data-read");
    story.shown = stop;
    if (!stop.link) return;
    stop.link.setAttribute("data-read", "");
    const id = Tokviz.decode(stop.link.hash.slice(1));
    const picture = document.getElementById(id).querySelector("picture").cloneNode(true);
    const image = picture.querySelector("img");
    image.loading = "lazy";
    image.setAttribute("data-late", "");
    story.holder.querySelector("picture")?.remove();
    story.holder.prepend(picture);
    story.holder.dataset.slide = id;
    const depth = Tokviz.parseDepth(id.split("/")[1]);
    if (Tokviz.tell(story.holder, "stage", { context: story.context, depth })) image.removeAttribute("data-late");
  }

  function start(root) {
    const story = createStory(root);
    let frame = null;
    const follow = () => {
      frame ??= requestAnimationFrame(() => {
        frame = null;
        // A context that isn't chosen has no size, and low windows show no plot.
        if (story.holder.offsetWidth && performance.now() > story.heldUntil) show(story, stopRead(story));
      });
    };
    new IntersectionObserver((entries) => {
      if (entries.at(-1).isIntersecting) {
        addEventListener("scroll", follow, { passive: true });
        follow();
      } else {
        removeEventListener("scroll", follow);
      }
    }, { rootMargin: "300px" }).observe(root);
    // Who points at a small plot sees it large.
    for (const stop of story.stops) {
      const point = (time) => {
        story.heldUntil = performance.now() + time;
        if (story.holder.offsetWidth) show(story, stop);
      };
      stop.link?.addEventListener("pointerenter", () => point(0));
      stop.link?.addEventListener("focus", () => point(HELD));
    }
  }

  for (const figure of document.querySelectorAll("[data-story]")) start(figure.closest(".story"));
})();
