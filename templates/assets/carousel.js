// needs: common.js take.js plates/scale.js
// after: plates/plates.js related-choice.js
"use strict";

// Every [data-viewer] shows one panel (context × projection) and one depth of it. Buttons, keys and the ruler jump at
// once, so that two layers can be compared by flicker; a swipe is the browser's own scrolling. Before it starts, plates.js must listen.
(() => {
  const { clamp } = Tokviz;
  // Parts of the page outside the viewer that belong to a context or a projection.
  const FOLLOWERS = document.querySelectorAll("[data-follow]");
  const PRINT = matchMedia("print");
  // How long each layer is seen while all are played, in milliseconds.
  const PER_LAYER = 1400;
  // What the page opens with where the address asks for nothing.
  const OPENS = document.documentElement.dataset.opens ?? "";

  // The state of a viewer, and the elements that show it. `second` is the panel of another context beside `panel`, and
  // `pairContext` that context's name; both are null while one panel is shown.
  function createViewer(root) {
    const panels = [...root.querySelectorAll(".panel")].map(createPanel);
    const viewer = {
      root,
      panels,
      panel: panels.find((each) => each.root.hasAttribute("data-current")),
      second: null,
      pairContext: null,
      playing: null,
      depth: 0,
      settled: 0,
      switches: [...root.querySelectorAll("[data-switch]")],
      stepButtons: [...root.querySelectorAll("[data-step]")],
      playButton: root.querySelector("[data-play]"),
      pairSelect: root.querySelector("[data-pair-select]"),
    };
    viewer.related = Tokviz.RelatedChoice?.of(root, () => go(viewer, viewer.depth));
    viewer.address = new Tokviz.AddressWriter(() => fragmentOf(viewer));
    viewer.preload = Tokviz.afterLoad(() => preloadNeighbours(viewer));
    return viewer;
  }

  function createPanel(root) {
    const ruler = root.querySelector(".ruler");
    // The slider says all that the links do, in one stop of the Tab key.
    for (const link of ruler.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
    ruler.querySelector(".scale").setAttribute("aria-hidden", "true");
    // Not every report has an explorer.
    const exploreLink = root.querySelector("[data-explore]");
    // Without notes there is none.
    const note = root.querySelector("[data-note]");
    for (const slide of root.querySelectorAll(".slide")) slide.setAttribute("aria-roledescription", "slide");
    return {
      root,
      context: root.dataset.context,
      projection: root.dataset.projection,
      alignedWidth: 0,
      track: root.querySelector(".track"),
      slides: [...root.querySelectorAll(".slide")],
      range: ruler.querySelector("input"),
      output: ruler.querySelector("output"),
      note,
      exploreLink,
      exploreAddress: exploreLink?.getAttribute("href").split("&")[0],
    };
  }

  const findPanel = ({ panels }, { context, projection }) =>
    panels.find((each) => each.context === context && each.projection === projection);
  const shownPanels = ({ panel, second }) => (second ? [panel, second] : [panel]);

  // --- what is shown ---

  function show(viewer, depth, panel = viewer.panel) {
    const before = viewer.panel;
    viewer.panel = panel;
    // Choosing the second context swaps both.
    if (viewer.pairContext === panel.context) viewer.pairContext = before.context === panel.context ? null : before.context;
    viewer.second = viewer.pairContext === null ? null
      : findPanel(viewer, { context: viewer.pairContext, projection: panel.projection }) ?? null;
    showPanels(viewer);
    showFollowers(viewer);
    setDepth(viewer, depth);
    alignTracks(viewer);
  }

  function showPanels(viewer) {
    const { root, panels, panel, second, pairSelect, switches } = viewer;
    for (const each of panels) {
      each.root.toggleAttribute("data-current", each === panel);
      each.root.toggleAttribute("data-beside", each === second);
    }
    root.toggleAttribute("data-pair", second !== null);
    if (pairSelect) showPairChoices(viewer, pairSelect);
    for (const group of switches) {
      for (const radio of group.querySelectorAll("input[type=radio]")) {
        radio.checked = radio.value === panel[group.dataset.switch];
        // Not every capture is drawn in every projection.
        if (group.dataset.switch === "projection") {
          radio.disabled = shownPanels(viewer).some(({ context }) => !findPanel(viewer, { context, projection: radio.value }));
        }
      }
    }
  }

  function showPairChoices(viewer, pairSelect) {
    pairSelect.value = viewer.second?.context ?? "";
    for (const option of pairSelect.options) {
      option.disabled = option.value === viewer.panel.context
        || (option.value !== "" && !findPanel(viewer, { context: option.value, projection: viewer.panel.projection }));
    }
  }

  function showFollowers({ panel }) {
    for (const follower of FOLLOWERS) {
      const { context, projection = panel.projection } = follower.dataset;
      const fits = projection === panel.projection;
      follower.toggleAttribute("data-current", fits && context === panel.context);
      follower.toggleAttribute("data-on-paper", fits);
    }
  }

  function setDepth(viewer, wanted, isSwiped = false) {
    const { panel } = viewer;
    const last = panel.slides.length - 1;
    const depth = clamp(wanted, 0, last);
    viewer.depth = depth;
    const name = panel.slides[depth].getAttribute("aria-label");
    panel.range.value = depth;
    panel.range.setAttribute("aria-valuetext", name);
    if (panel.output.value !== name) panel.output.value = name;
    Tokviz.placeLabel(panel.output, depth, last);
    Tokviz.markSteps(viewer.stepButtons, depth, last);
    for (const each of shownPanels(viewer)) {
      each.slides[depth]?.setAttribute("data-near", "");
      showOnly(each, depth);
      Tokviz.take.addTo(each.slides[depth]);
    }
    if (panel.note) showNote(viewer, depth);
    if (panel.exploreLink) showExploreLink(viewer, depth);
    Tokviz.tell(viewer.root, "shown", { depth, isSwiped });
    viewer.related?.showSlides(viewer.root, shownPanels(viewer), depth);
    viewer.preload();
  }

  // What the author says of the layer stands beside it.
  function showNote({ panel: { note, slides } }, depth) {
    const own = slides[depth].querySelector(".voice");
    note.replaceChildren(...(own?.cloneNode(true).childNodes ?? []));
    note.hidden = own === null;
  }

  function showExploreLink({ panel: { exploreLink, exploreAddress }, second, related }, depth) {
    const beside = second ? [second.exploreAddress.replace(/.*#a=/, "b=")] : [];
    exploreLink.setAttribute("href", [exploreAddress, ...beside, `at=${Tokviz.depthKey(depth)}`].join("&") + (related?.address ?? ""));
  }

  // Keys and screen readers find the slide that is seen, not thirty others; on paper all are seen.
  function showOnly({ slides }, depth) {
    for (const [index, slide] of slides.entries()) slide.inert = index !== depth && !PRINT.matches;
  }

  function preloadNeighbours(viewer) {
    for (const { root, slides } of shownPanels(viewer)) {
      // These are drawn, by plates/carousel.js.
      if (root.hasAttribute("data-drawable")) continue;
      for (const slide of [slides[viewer.depth - 1], slides[viewer.depth + 1]]) {
        if (!slide) continue;
        slide.setAttribute("data-near", "");
        const image = slide.querySelector("img");
        if (image) Tokviz.decodeAhead(image);
      }
    }
  }

  // Scrolls the tracks to the current slide, without animation; one that is being swiped is left alone.
  function alignTracks(viewer, swiped = null) {
    for (const panel of shownPanels(viewer)) {
      if (panel === swiped) continue;
      panel.alignedWidth = panel.track.clientWidth;
      panel.track.scrollTo({ left: viewer.depth * panel.track.clientWidth, behavior: "instant" });
    }
  }

  // --- the address: #context/layer-12, #context/layer-12/projection, …+context beside it, …&related=…, …&scale=… ---

  function fragmentOf({ panel, second, depth, related }) {
    return `#${panel.slides[depth].id}${second ? `+${second.context}` : ""}${related?.address ?? ""}${Tokviz.plotScale.address}`;
  }

  function openAddress(viewer) {
    const [slides, chosen] = Tokviz.plotScale.open(location.hash.slice(1) || OPENS).split("&related=");
    const [id, pair] = slides.split("+");
    const slide = document.getElementById(id);
    const panel = viewer.panels.find(({ slides }) => slides.includes(slide));
    if (!panel) return false;
    const isKnown = viewer.pairSelect && viewer.panels.some(({ context }) => context === pair);
    viewer.pairContext = isKnown ? pair : null;
    viewer.related?.open(chosen);
    show(viewer, panel.slides.indexOf(slide), panel);
    return true;
  }

  // --- what a reader does ---

  function go(viewer, depth, panel = viewer.panel) {
    show(viewer, depth, panel);
    viewer.settled = performance.now() + 500;
    viewer.address.request();
  }

  // From layer to layer, from the first again where the last is seen, until the last, or until the reader does something else.
  function play(viewer) {
    const { playButton } = viewer;
    let depth = viewer.depth === viewer.panel.slides.length - 1 ? -1 : viewer.depth;
    let { panel } = viewer;
    function stop() {
      clearInterval(viewer.playing);
      viewer.playing = null;
      playButton.textContent = "Play";
    }
    function step() {
      if (document.hidden || (depth >= 0 && (viewer.depth !== depth || viewer.panel !== panel))) return stop();
      depth += 1;
      ({ panel } = viewer);
      go(viewer, depth);
      return depth === panel.slides.length - 1 ? stop() : undefined;
    }
    if (viewer.playing) return stop();
    playButton.textContent = "Pause";
    viewer.playing = setInterval(step, PER_LAYER);
    return step();
  }

  function followSwipe(viewer, panel) {
    const width = panel.track.clientWidth;
    // When the window changes its size or is printed, the track returns to its slide.
    if (!shownPanels(viewer).includes(panel) || width !== panel.alignedWidth || PRINT.matches) return;
    const seen = Math.round(panel.track.scrollLeft / width);
    if (seen === viewer.depth) return;
    // WebKit may snap back to the slide before while the new one is laid out.
    if (performance.now() < viewer.settled) return void alignTracks(viewer);
    setDepth(viewer, seen, true);
    alignTracks(viewer, panel);
    viewer.address.request();
  }

  function listenToSwitches(viewer) {
    for (const group of viewer.switches) {
      group.addEventListener("change", ({ target }) => {
        const { context, projection } = viewer.panel;
        const wanted = { context, projection, [group.dataset.switch]: target.value };
        const panel = findPanel(viewer, wanted) ?? viewer.panels.find((each) => each.context === wanted.context);
        go(viewer, viewer.depth, panel);
      });
    }
    viewer.pairSelect?.addEventListener("change", () => {
      viewer.pairContext = viewer.pairSelect.value || null;
      go(viewer, viewer.depth);
    });
  }

  function listenToPanels(viewer) {
    for (const panel of viewer.panels) {
      Tokviz.listenToSlider(panel.range, (depth) => go(viewer, depth));
      panel.track.addEventListener("scroll", () => followSwipe(viewer, panel), { passive: true });
      for (const kind of ["pointerdown", "wheel"]) {
        panel.track.addEventListener(kind, () => { viewer.settled = 0; }, { passive: true });
      }
      Tokviz.onNewWidth(panel.track, () => alignTracks(viewer));
    }
  }

  function listen(viewer) {
    listenToSwitches(viewer);
    listenToPanels(viewer);
    for (const button of viewer.stepButtons) {
      button.addEventListener("click", () => go(viewer, viewer.depth + Number(button.dataset.step)));
    }
    viewer.playButton?.addEventListener("click", () => play(viewer));
    Tokviz.listenToKeys(viewer.root, () => viewer.depth, (depth) => go(viewer, depth));
    // The lightbox shows another slide than the one it was opened from.
    viewer.root.addEventListener("enlarged", ({ target }) => {
      const slide = target.closest(".slide");
      const depth = shownPanels(viewer).map(({ slides }) => slides.indexOf(slide)).find((each) => each >= 0);
      if (depth !== undefined && depth !== viewer.depth) go(viewer, depth);
    });
    viewer.root.addEventListener("address", ({ detail }) => {
      detail.fragment = fragmentOf(viewer);
    });
    window.addEventListener("hashchange", () => {
      // No element has such an address, so the browser doesn't scroll there.
      if (openAddress(viewer) && (viewer.second || viewer.related?.isChosen)) viewer.panel.slides[viewer.depth].scrollIntoView({ behavior: "instant" });
    });
    document.addEventListener("scale-chosen", () => viewer.address.request());
    PRINT.addEventListener("change", () => {
      for (const panel of viewer.panels) showOnly(panel, viewer.depth);
      alignTracks(viewer);
    });
  }

  function startViewer(root) {
    const viewer = createViewer(root);
    listen(viewer);
    if (!openAddress(viewer)) show(viewer, 0);
    // Until here opening.js shows one slide only.
    for (const { track } of viewer.panels) track.removeAttribute("data-opening");
    alignTracks(viewer);
  }

  // Small plates are fetched when they are seen, and, once the reader scrolls, shortly before that: a browser's own
  // lazy loading begins screens earlier. What will be drawn isn't fetched; grids aren't drawn.
  function fetchNearby(margin) {
    const observer = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        if (target.closest(".grid") || Tokviz.tell(target, "near")) target.querySelector("img").removeAttribute("data-late");
        observer.unobserve(target);
      }
    }, { rootMargin: margin });
    for (const image of document.querySelectorAll(":is(.plates, .twins, .grid) img[data-late]")) observer.observe(image.closest(".plate"));
    return observer;
  }
  const visibleOnly = fetchNearby("0px");
  addEventListener("scroll", () => {
    visibleOnly.disconnect();
    fetchNearby("500px");
  }, { once: true, passive: true });

  // Scripts of what is further down come when one of their plots is near.
  const plots = document.querySelectorAll("[data-script]");
  const asked = new Set();
  const nearPlot = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target: { dataset: { script } } } of entries) {
      if (!isIntersecting || asked.has(script)) continue;
      asked.add(script);
      const own = [...plots].filter((plot) => plot.dataset.script === script);
      for (const plot of own) nearPlot.unobserve(plot);
      Tokviz.loadScripts([script]).catch(() => own.forEach((plot) => plot.remove()));
    }
  }, { rootMargin: "600px" });
  for (const plot of plots) nearPlot.observe(plot);

  for (const root of document.querySelectorAll("[data-viewer]")) startViewer(root);
})();
