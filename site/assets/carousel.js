"use strict";

// Every [data-viewer] shows one panel (context × projection) and one depth of it. Buttons, keys and the ruler jump at
// once, so that two layers can be compared by flicker; a swipe is the browser's own scrolling.
(() => {
  const KEYS = { ArrowLeft: (depth) => depth - 1, ArrowRight: (depth) => depth + 1, Home: () => 0, End: () => Infinity };
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
    let pinnedWidth = 0;

    function show(wantedDepth, wantedPanel = panel) {
      panel = wantedPanel;
      for (const other of panels) other.root.toggleAttribute("data-current", other === panel);
      for (const group of switches) {
        for (const radio of group.querySelectorAll("input")) {
          radio.checked = radio.value === panel.root.dataset[group.dataset.switch];
        }
      }
      setDepth(wantedDepth);
      pin();
    }

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
      panel.slides[depth].setAttribute("data-near", "");
      if (mayPreload) preloadNeighbours();
    }

    function preloadNeighbours() {
      for (const slide of [panel.slides[depth - 1], panel.slides[depth + 1]]) {
        if (!slide) continue;
        slide.setAttribute("data-near", "");
        const image = slide.querySelector("img");
        if (image) {
          image.loading = "eager";
          image.decode().catch(() => {});
        }
      }
    }

    // Puts the track where the current slide is, without animation.
    function pin() {
      pinnedWidth = panel.track.clientWidth;
      panel.track.scrollTo({ left: depth * panel.track.clientWidth, behavior: "instant" });
    }

    function noteAddress() {
      clearTimeout(addressTimer);
      addressTimer = setTimeout(() => history.replaceState(null, "", `#${panel.slides[depth].id}`), ADDRESS_DELAY);
    }

    function go(wantedDepth, wantedPanel = panel) {
      show(wantedDepth, wantedPanel);
      noteAddress();
    }

    function openAddress() {
      const slide = document.getElementById(location.hash.slice(1));
      const owner = panels.find((candidate) => candidate.slides.includes(slide));
      if (owner) show(owner.slides.indexOf(slide), owner);
      return Boolean(owner);
    }

    for (const group of switches) {
      group.addEventListener("change", (event) => {
        const wanted = { ...panel.root.dataset, [group.dataset.switch]: event.target.value };
        go(depth, panels.find(({ root }) => root.dataset.context === wanted.context && root.dataset.projection === wanted.projection));
      });
    }
    for (const button of steps) button.addEventListener("click", () => go(depth + Number(button.dataset.step)));
    for (const each of panels) {
      each.range.addEventListener("input", () => go(Number(each.range.value)));
      each.track.addEventListener("scroll", () => {
        const width = each.track.clientWidth;
        // When the window changes its size or is printed, the track finds back to its slide.
        if (each !== panel || width !== pinnedWidth || PRINT.matches) return;
        const seen = Math.round(each.track.scrollLeft / width);
        if (seen !== depth) {
          setDepth(seen);
          noteAddress();
        }
      }, { passive: true });
      new ResizeObserver(pin).observe(each.track);
    }
    viewer.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      const ownKeys = event.target.matches("input");
      if (!move || ownKeys || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(move(depth));
    });
    window.addEventListener("hashchange", openAddress);
    PRINT.addEventListener("change", pin);
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
      track: root.querySelector(".track"),
      slides: [...root.querySelectorAll(".slide")],
      range: ruler.querySelector("input"),
      output: ruler.querySelector("output"),
    };
  }

  // The label keeps to the handle and stays inside the ruler at both ends.
  function placeLabel(panel, depth) {
    const share = depth / (panel.slides.length - 1);
    panel.output.style.left = `${4.4 + 91.2 * share}%`;
    panel.output.style.transform = `translateX(${-100 * share}%)`;
  }

  for (const viewer of document.querySelectorAll("[data-viewer]")) startViewer(viewer);
})();
