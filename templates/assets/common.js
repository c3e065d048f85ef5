"use strict";

// What the scripts of several pages share: depths, keys, addresses, the ruler and pictures. A classic script, since a page
// that is opened from disk can't load modules; it is loaded before those that use it.
const Tokviz = (() => {
  const clamp = (value, low, high) => Math.max(low, Math.min(value, high));

  function svg(name, attributes = {}, text = null) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    return made;
  }

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  // Says something of an element to other scripts; false where one of them takes it over.
  const tell = (element, type, detail) =>
    element.dispatchEvent(new CustomEvent(type, { bubbles: true, cancelable: true, detail }));

  // How many colors categories have, in plate.css or the report's own styles, and the class of a category's.
  const nHues = Number(document.documentElement.dataset.hues ?? 9);
  const hueOf = (category) => `hue-${category % nHues}`;

  // --- depths: 0 is the embedding, k + 1 is after layer k ---

  const depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);

  // A depth as addresses write it: `embedding`, `layer-11`.
  const depthKey = (depth) => depthName(depth).replace(" ", "-");

  // The depth that such a text names, or null.
  function parseDepth(text) {
    const layer = /^layer-(\d+)$/.exec(text ?? "");
    if (layer) return Number(layer[1]) + 1;
    return text === "embedding" ? 0 : null;
  }

  // The capture of these names; the first one stands in for a name that is unknown.
  function findCapture(models, names) {
    const model = models.find(({ slug }) => slug === names.model) ?? models[0];
    const context = model.contexts.find(({ name }) => name === names.context) ?? model.contexts[0];
    const shown = context.projections.find(({ name }) => name === names.projection) ?? context.projections[0];
    return { model, context, shown, key: `${model.slug}/${context.name}/${shown.name}` };
  }

  // What a saved picture of a capture's depth is called.
  const fileName = ({ model, context, shown }, depth) => [model.slug, context.name, depthKey(depth), shown.name].join("-");

  // --- keys and buttons that move through the depths ---

  const MOVES = { ArrowLeft: (depth) => depth - 1, ArrowRight: (depth) => depth + 1, Home: () => 0, End: () => Infinity };
  // Elements that use these keys themselves. Radio buttons and lists don't: what was chosen last keeps the focus, and ← → step on
  // from there; ↑ ↓ choose, as in every list.
  const OWN_KEYS = "input:not([type=radio], [type=checkbox]), textarea, .scroll, .plates, dialog";

  // Shift is left out: some keyboards need it for "+".
  const hasModifier = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

  // Calls go(wanted depth), which may lie beyond the ends, for the keys within `root`, and for the arrows wherever the focus is.
  function listenToKeys(root, currentDepth, go) {
    document.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (!move || event.target.closest(OWN_KEYS) || hasModifier(event) || event.shiftKey) return;
      if (!event.key.startsWith("Arrow") && (!root.contains(event.target) || event.target.matches("select"))) return;
      event.preventDefault();
      go(move(currentDepth()));
    });
  }

  // Steps that would lead beyond an end are marked, and not disabled: a disabled button would lose the focus.
  function markSteps(buttons, depth, last) {
    for (const button of buttons) {
      const target = depth + Number(button.dataset.step);
      button.setAttribute("aria-disabled", String(target < 0 || target > last));
    }
  }

  // --- addresses ---

  // Safari allows 100 changes of the address in 30 seconds.
  const ADDRESS_DELAY = 400;

  // Writes what is shown into the address once nothing has changed for a while.
  class AddressWriter {
    // `fragment` returns the address from the # on, or null while nothing is shown.
    constructor(fragment) {
      this.fragment = fragment;
    }

    request() {
      clearTimeout(this.timer);
      const before = location.hash;
      this.timer = setTimeout(() => {
        // Another address has been opened since, even where its event is still to come: it is the one to be shown.
        if (location.hash !== before) return;
        const fragment = this.fragment();
        // The explorer of a notebook has no address.
        if (fragment !== null && location.protocol !== "about:") history.replaceState(null, "", fragment);
      }, ADDRESS_DELAY);
    }

    cancel() {
      clearTimeout(this.timer);
    }
  }

  // `#a=…&b=…` as a map. Values stay encoded, so that a word in a list may contain a comma or an ampersand.
  function parseAddress() {
    return new Map(location.hash.slice(1).split("&").map((part) => {
      const [key, ...rest] = part.split("=");
      return [key, rest.join("=")];
    }));
  }

  // What isn't a valid encoding is taken as it stands.
  function decode(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  // --- data that a reader asks for ---

  const contents = new Map();
  const requests = new Map();
  window.tokvizData = (key, content) => contents.set(key, content);

  // The content that a script passes to tokvizData under a key. A page that is opened from disk may not fetch, but it may add a
  // script.
  function load(key, source) {
    if (contents.has(key)) return Promise.resolve(contents.get(key));
    if (!requests.has(key)) {
      requests.set(key, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        const fail = () => {
          requests.delete(key);
          script.remove();
          reject(new Error(`${source} could not be loaded. Is the site’s folder complete?`));
        };
        script.src = source;
        script.addEventListener("load", () => (contents.has(key) ? resolve(contents.get(key)) : fail()));
        script.addEventListener("error", fail);
        document.head.append(script);
      }));
    }
    return requests.get(key);
  }

  // Little-endian unsigned integers of `size` bytes each, from base64.
  function decodeIntegers(text, size) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return size === 2 ? new Uint16Array(bytes.buffer) : bytes;
  }

  const added = new Map();

  // Adds scripts that run in this order, each once; one that didn't come is asked for again the next time.
  const loadScripts = (sources) => Promise.all(sources.map((source) => {
    const script = make("script", { src: source });
    script.async = false;
    if (!added.has(script.src)) {
      added.set(script.src, new Promise((resolve, reject) => {
        script.addEventListener("load", resolve);
        script.addEventListener("error", (event) => {
          added.delete(script.src);
          reject(event);
        });
        document.head.append(script);
      }));
    }
    return added.get(script.src);
  }));

  // --- the ruler ---

  const variables = getComputedStyle(document.documentElement);
  const variable = (name) => Number.parseFloat(variables.getPropertyValue(name));
  // In percent of a ruler's width; tokviz/pages/charts/axis.py says what each is.
  const geometry = {
    axisStart: variable("--axis-start"),
    axisLength: variable("--axis-length"),
    labelsFrom: variable("--labels-from"),
    labelsTo: variable("--labels-to"),
    looseFrom: variable("--loose-from"),
    looseTo: variable("--loose-to"),
    mostLabels: variable("--most-labels"),
  };
  const LABEL_STEPS = [1, 2, 5, 10, 20, 50, 100];
  const WIDEST_LABEL_STEP = 1000;

  const percent = (number) => `${number.toFixed(3)}%`;

  // A depth from 0 to 1, the last one; 0 in a model of a single depth.
  const shareOf = (depth, last) => depth / (last || 1);

  // Where a depth stands, in percent of the ruler's width.
  const place = (depth, last) => geometry.axisStart + geometry.axisLength * shareOf(depth, last);

  // The depth nearest to a point of a slider, in pixels of the window; the axis ends where the middle of its handle does.
  function depthAt(range, clientX) {
    const { left, width } = range.getBoundingClientRect();
    const thumb = Number.parseFloat(getComputedStyle(range).getPropertyValue("--thumb"));
    const last = Number(range.max);
    return clamp(Math.round((last * (clientX - left - thumb / 2)) / (width - thumb)), 0, last);
  }

  // Calls go(depth) when a ruler's slider is moved. Its handle is as wide as a finger, and covers neighbouring depths where there
  // are many: a browser takes a press on it for the beginning of a drag, so a click that moved nothing is handled here.
  function listenToSlider(range, go) {
    let moved = false;
    const output = range.parentElement.querySelector("output");
    // A slider that has the focus says itself where it stands.
    range.addEventListener("focus", () => output?.setAttribute("aria-live", "off"));
    range.addEventListener("blur", () => output?.setAttribute("aria-live", "polite"));
    range.addEventListener("pointerdown", () => {
      moved = false;
    });
    range.addEventListener("input", () => {
      moved = true;
      go(Number(range.value));
    });
    range.addEventListener("click", ({ clientX }) => {
      const depth = depthAt(range, clientX);
      if (!moved && depth !== Number(range.value)) go(depth);
    });
  }

  // Calls act() when an element is first laid out and when its width changes. Its height changes as a plot is drawn while a finger
  // moves it: a track that is aligned then would leave the finger, and end a slide too far.
  function onNewWidth(element, act) {
    let width = null;
    new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      act();
    }).observe(element);
  }

  // Whether a depth between the two ends has its number on the axis.
  function hasNumber(depth, last) {
    const step = LABEL_STEPS.find((size) => last / size <= geometry.mostLabels) ?? WIDEST_LABEL_STEP;
    const x = place(depth, last);
    return (depth - 1) % step === 0 && x >= geometry.labelsFrom && x <= geometry.labelsTo;
  }

  // Whether a number would touch the names of the ends on a phone.
  const isTight = (x) => x < geometry.looseFrom || x > geometry.looseTo;

  // A tick for each depth; both ends are named, and as many depths between them as there is space for.
  function depthTicks(last) {
    return Array.from({ length: last + 1 }, (_, depth) => {
      if (depth === 0 || depth === last) return { depth, label: depthName(depth) };
      return { depth, label: hasNumber(depth, last) ? String(depth - 1) : null };
    });
  }

  // The axis with its ticks, measured from the ruler's foot upwards; labels at the ends stay within the ruler.
  function axis(ticks, last) {
    const made = [svg("line", { class: "axis", x1: percent(place(0, last)), x2: percent(place(last, last)), y1: -26, y2: -26 })];
    for (const { depth, label } of ticks) {
      const x = percent(place(depth, last));
      made.push(svg("line", { class: label ? "major" : "minor", x1: x, x2: x, y1: -26, y2: label ? -18 : -22 }));
      if (!label) continue;
      const [at, anchor] = depth === 0 ? ["0%", "start"] : depth === last ? ["100%", "end"] : [x, "middle"];
      const text = svg("text", { x: at, y: -4, "text-anchor": anchor }, label);
      if (anchor === "middle" && isTight(Number.parseFloat(x))) text.setAttribute("class", "tight");
      made.push(text);
    }
    return made;
  }

  // An element whose origin is the foot of the ruler.
  function rulerFoot(...children) {
    const foot = svg("svg", { y: "100%", overflow: "visible" });
    foot.append(...children);
    return foot;
  }

  // The label follows the slider's handle and stays within the ruler at both ends; one among the numbers of its axis begins where the
  // names of the ends do.
  function placeLabel(output, depth, last) {
    const share = 100 * shareOf(depth, last);
    const isOnAxis = output.matches(".depth-label");
    output.style.left = percent(isOnAxis ? share : place(depth, last));
    output.style.transform = `translateX(${percent(-share)})`;
    if (!isOnAxis) return;
    // Observed anew, its size is told once the page is laid out.
    const ruler = output.parentElement;
    sizes.unobserve(ruler);
    sizes.observe(ruler);
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) if (target.clientWidth) clearUnderLabel(target);
  });
  const pen = document.createElement("canvas").getContext("2d");

  // Hides the names and numbers of a ruler's axis on which its label lies: a part of one would read as another. An axis that another
  // ruler has, too, may itself not be shown, so where its texts stand is computed.
  function clearUnderLabel(ruler) {
    const { left, width } = ruler.getBoundingClientRect();
    const label = ruler.querySelector(".depth-label").getBoundingClientRect();
    const shared = [...ruler.querySelectorAll("use")].map((use) => document.querySelector(use.getAttribute("href")));
    for (const text of [ruler, ...shared].flatMap((each) => [...each.querySelectorAll("text:not([class]), text.tight")])) {
      pen.font = getComputedStyle(text).font;
      const length = pen.measureText(text.textContent).width;
      const before = { start: 0, middle: 0.5, end: 1 }[text.getAttribute("text-anchor")] * length;
      const start = left + (Number.parseFloat(text.getAttribute("x")) / 100) * width - before;
      text.style.visibility = start < label.right && start + length > label.left ? "hidden" : "";
    }
  }

  // --- pictures ---

  // Shows another picture in a box with a <picture>, or in one of several; sourceOf gives address and size of its wide and its phone
  // form.
  function setPicture(box, sourceOf, alt, picture = box.querySelector("picture")) {
    const source = picture.querySelector("source:last-of-type");
    const image = imageOf(box, picture);
    for (const [element, attribute, form] of [[source, "srcset", "phone"], [image, "src", "wide"]]) {
      const { src, size } = sourceOf(form);
      if (element.getAttribute(attribute) !== src) element.setAttribute(attribute, src);
      if (form === "wide" && box.matches("a")) box.href = src;
      element.setAttribute("width", size[0]);
      element.setAttribute("height", size[1]);
    }
    // A link has its name also while its plate is being drawn and no image is shown.
    if (box.matches("a")) box.setAttribute("aria-label", alt);
    delete image.dataset.wide;
    image.alt = alt;
    if (!image.parentElement) source.after(image);
  }

  // Where a strip's address differs in the dark theme.
  const DARK = /((?:-phone)?\.webp)$/;

  // Shows another strip, in both themes if it is drawn for both.
  function setStrip(box, strip, alt) {
    const [day, night = day.cloneNode(true)] = box.querySelectorAll("picture");
    setPicture(box, (form) => strip[form], alt, day);
    if (!strip.dark) return;
    day.className = "by-day";
    night.className = "by-night";
    day.after(night);
    setPicture(box, (form) => ({ ...strip[form], src: strip[form].src.replace(DARK, "-dark$1") }), alt, night);
  }

  // Width and height of the form of a picture that the window asks for. Its image says them too: an image that is hidden, as it is
  // drawn, is measured by what it says.
  function formSize(box) {
    const [source, image] = [box.querySelector("source"), box.querySelector("img")];
    const wide = wideSize(image);
    const size = source && matchMedia(source.media).matches ? sizeOf(source) : wide;
    ["width", "height"].forEach((name, index) => image.setAttribute(name, size[index]));
    return size;
  }

  const sizeOf = (element) => ["width", "height"].map((name) => Number(element.getAttribute(name)));

  // Of a picture's wide form, whatever its image says by now.
  function wideSize(image) {
    image.dataset.wide ??= sizeOf(image).join(" ");
    return image.dataset.wide.split(" ").map(Number);
  }

  // What is drawn, or will be, has its image for printing only, and a strip one for the other theme: these aren't fetched before they
  // are needed. Only a new image is lazy for certain.
  function imageOf(box, picture) {
    const image = picture.querySelector("img");
    if (!box.matches("[data-drawn], [data-drawable] .slot .plate") && getComputedStyle(picture).display !== "none") {
      image.loading = "eager";
      return image;
    }
    image.remove();
    const lazy = document.createElement("img");
    lazy.loading = "lazy";
    return lazy;
  }

  // Fetches a picture of the page that is not seen yet.
  function decodeAhead(image) {
    image.loading = "eager";
    image.decode().catch(() => {});
  }

  // As much of a text as there is space for.
  function fitted(text, space, widthOf) {
    const characters = [...text];
    let part = text;
    let n = Math.ceil((characters.length * space) / widthOf(text));
    while (n > 0 && widthOf(part) > space) part = `${characters.slice(0, n--).join("")}…`;
    return part;
  }

  // Returns a function that acts only after the page has loaded; `act` is also called at that moment.
  function afterLoad(act) {
    let loaded = document.readyState === "complete";
    window.addEventListener("load", () => {
      loaded = true;
      act();
    });
    return () => {
      if (loaded) act();
    };
  }

  return {
    clamp, svg, make, tell, nHues, hueOf,
    depthName, depthKey, parseDepth, findCapture, fileName,
    hasModifier, listenToKeys, markSteps,
    AddressWriter, parseAddress, decode, decodeIntegers, load, loadScripts,
    geometry, percent, shareOf, place, listenToSlider, onNewWidth, depthTicks, axis, rulerFoot, placeLabel,
    setPicture, setStrip, sizeOf, formSize, wideSize, decodeAhead, afterLoad,
    fitted,
  };
})();
