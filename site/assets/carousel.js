"use strict";

// Every [data-viewer] shows one panel (context × projection) and one depth of it. Buttons, keys and the ruler jump at
// once, so that two layers can be compared by flicker; a swipe is the browser's own scrolling.
(() => {
  const KEYS = { ArrowLeft: (depth) => depth - 1, ArrowRight: (depth) => depth + 1, Home: () => 0, End: () => Infinity };
  // Parts of the page outside the viewer that show what it shows.
  const FOLLOWERS = document.querySelectorAll("[data-follow]");
  const PRINT = matchMedia("print");
  // Safari allows 100 changes of the address in 30 seconds.
  const ADDRESS_DELAY = 400;

  function startViewer(viewer) {
    const panels = [...viewer.querySelectorAll(".panel")].map(readPanel);
    const switches = [...viewer.querySelectorAll("[data-switch]")];
    const steps = [...viewer.querySelectorAll("[data-step]")];
    let panel = panels.find((candidate) => candidate.root.hasAttribute("data-current"));
    let depth = 0;
    let mayPreload = document.readyState === "complete";
    let addressTimer = 0;
    const toggle = viewer.querySelector("[data-pair-toggle]");
    // A second context may be shown beside the panel, at the same depth.
    let pairContext = null;
    let beside = null;

    function show(wantedDepth, wantedPanel = panel) {
      const before = panel;
      panel = wantedPanel;
      if (pairContext === contextOf(panel)) {
        const other = contextOf(before) === pairContext ? panels.find((each) => contextOf(each) !== pairContext) : before;
        pairContext = other ? contextOf(other) : null;
      }
      beside = pairContext === null ? null : find({ ...panel.root.dataset, context: pairContext }) ?? null;
      for (const other of panels) {
        other.root.toggleAttribute("data-current", other === panel);
        other.root.toggleAttribute("data-beside", other === beside);
        // On paper stand all contexts, as the chosen PCA shows them.
        other.root.toggleAttribute("data-on-paper", other.root.dataset.projection === panel.root.dataset.projection);
      }
      viewer.toggleAttribute("data-pair", beside !== null);
      if (toggle) toggle.checked = beside !== null;
      for (const group of switches) {
        for (const radio of group.querySelectorAll("input[type=radio]")) {
          radio.checked = radio.value === panel.root.dataset[group.dataset.switch];
        }
      }
      for (const follower of FOLLOWERS) {
        const { context, projection } = follower.dataset;
        const follows = context === panel.root.dataset.context && (projection ?? panel.root.dataset.projection) === panel.root.dataset.projection;
        follower.toggleAttribute("data-current", follows);
        follower.toggleAttribute("data-on-paper", (projection ?? panel.root.dataset.projection) === panel.root.dataset.projection);
      }
      setDepth(wantedDepth);
      pin();
    }

    const contextOf = (each) => each.root.dataset.context;
    const find = ({ context, projection }) =>
      panels.find(({ root }) => root.dataset.context === context && root.dataset.projection === projection);
    const addressOf = (each) => each.explore.getAttribute("href").split("&")[0];
    const shown = () => (beside ? [panel, beside] : [panel]);

    function setDepth(wantedDepth) {
      depth = Math.max(0, Math.min(wantedDepth, panel.slides.length - 1));
      const name = panel.slides[depth].getAttribute("aria-label");
      panel.range.value = depth;
      panel.range.setAttribute("aria-valuetext", name);
      if (panel.output.value !== name) panel.output.value = name;
      placeLabel(panel, depth);
      for (const button of steps) {
        const target = depth + Number(button.dataset.step);
        button.setAttribute("aria-disabled", String(target < 0 || target >= panel.slides.length));
      }
      for (const { slides } of shown()) slides[depth]?.setAttribute("data-near", "");
      for (const each of shown()) leaveOneStop(each, depth);
      panel.explore.setAttribute("href", [
        addressOf(panel), ...(beside ? [addressOf(beside).replace(/.*#a=/, "b=")] : []), `at=${name.replace(" ", "-")}`,
      ].join("&"));
      if (mayPreload) preloadNeighbours();
    }

    function preloadNeighbours() {
      for (const slide of shown().flatMap(({ slides }) => [slides[depth - 1], slides[depth + 1]])) {
        if (!slide) continue;
        slide.setAttribute("data-near", "");
        const image = slide.querySelector("img");
        if (image) {
          image.loading = "eager";
          image.decode().catch(() => {});
        }
      }
    }

    // Puts the tracks where the current slide is, without animation; one that is being swiped is left alone.
    function pin(swiped = null) {
      for (const each of shown()) {
        if (each === swiped) continue;
        each.pinnedWidth = each.track.clientWidth;
        each.track.scrollTo({ left: depth * each.track.clientWidth, behavior: "instant" });
      }
    }

    const address = () => `#${panel.slides[depth].id}${beside ? `+${pairContext}` : ""}`;

    function noteAddress() {
      clearTimeout(addressTimer);
      addressTimer = setTimeout(() => history.replaceState(null, "", address()), ADDRESS_DELAY);
    }

    function go(wantedDepth, wantedPanel = panel) {
      show(wantedDepth, wantedPanel);
      noteAddress();
    }

    function openAddress() {
      const [id, pair] = location.hash.slice(1).split("+");
      const slide = document.getElementById(id);
      const owner = panels.find((candidate) => candidate.slides.includes(slide));
      if (owner) pairContext = toggle && pair !== undefined && panels.some((each) => contextOf(each) === pair) ? pair : null;
      if (owner) show(owner.slides.indexOf(slide), owner);
      return Boolean(owner);
    }

    for (const group of switches) {
      group.addEventListener("change", (event) => {
        if (event.target === toggle) return;
        go(depth, find({ ...panel.root.dataset, [group.dataset.switch]: event.target.value }));
      });
    }
    toggle?.addEventListener("change", () => {
      const other = panels.find((each) => contextOf(each) !== contextOf(panel));
      pairContext = toggle.checked && other ? contextOf(other) : null;
      go(depth);
    });
    for (const button of steps) button.addEventListener("click", () => go(depth + Number(button.dataset.step)));
    for (const each of panels) {
      each.range.addEventListener("input", () => go(Number(each.range.value)));
      each.track.addEventListener("scroll", () => {
        const width = each.track.clientWidth;
        // When the window changes its size or is printed, the track finds back to its slide.
        if (!shown().includes(each) || width !== each.pinnedWidth || PRINT.matches) return;
        const seen = Math.round(each.track.scrollLeft / width);
        if (seen !== depth) {
          setDepth(seen);
          pin(each);
          noteAddress();
        }
      }, { passive: true });
      new ResizeObserver(() => pin()).observe(each.track);
    }
    viewer.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      const ownKeys = event.target.matches("input");
      if (!move || ownKeys || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(move(depth));
    });
    // The lightbox shows another slide than it was opened from.
    viewer.addEventListener("enlarged", (event) => {
      const wanted = shown().map(({ slides }) => slides.indexOf(event.target.closest(".slide"))).find((each) => each >= 0);
      if (wanted !== undefined && wanted !== depth) go(wanted);
    });
    window.addEventListener("hashchange", openAddress);
    PRINT.addEventListener("change", () => pin());
    window.addEventListener("load", () => {
      mayPreload = true;
      preloadNeighbours();
    });

    if (!openAddress()) show(0);
  }

  function readPanel(root) {
    const ruler = root.querySelector(".ruler");
    // The slider says all that the links do, in one stop of the Tab key.
    for (const link of ruler.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
    ruler.querySelector(".scale").setAttribute("aria-hidden", "true");
    return {
      root,
      pinnedWidth: 0,
      track: root.querySelector(".track"),
      slides: [...root.querySelectorAll(".slide")],
      range: ruler.querySelector("input"),
      output: ruler.querySelector("output"),
      explore: root.querySelector("[data-explore]"),
    };
  }

  // The Tab key finds the links of the slide that is seen, not those of thirty others.
  function leaveOneStop({ slides }, depth) {
    for (const [at, slide] of slides.entries()) {
      for (const link of slide.querySelectorAll("a")) link.tabIndex = at === depth ? 0 : -1;
    }
  }

  // The label keeps to the handle and stays inside the ruler at both ends.
  function placeLabel(panel, depth) {
    const share = depth / (panel.slides.length - 1);
    panel.output.style.left = `${4.4 + 91.2 * share}%`;
    panel.output.style.transform = `translateX(${-100 * share}%)`;
  }

  // Small plates are fetched when they are seen, and once the reader scrolls shortly before that: a browser's own
  // laziness begins screens earlier.
  function fetchLate(margin) {
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        target.querySelector("img").removeAttribute("data-late");
        observer.unobserve(target);
      }
    }, { rootMargin: margin });
    for (const image of document.querySelectorAll("img[data-late]")) observer.observe(image.parentElement);
    return observer;
  }
  const seen = fetchLate("0px");
  addEventListener("scroll", () => {
    seen.disconnect();
    fetchLate("500px");
  }, { once: true, passive: true });

  for (const viewer of document.querySelectorAll("[data-viewer]")) startViewer(viewer);
})();
