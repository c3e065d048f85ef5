"""What ``serve`` adds to pages so that they show a report anew, and what stands where there is no page yet."""

from __future__ import annotations

ANEW = """
// As a page loads, the site that it is of may have gone already.
if (!window.tokvizKnown) location.reload();
else {
  const { blocks, parts, fields } = tokvizKnown();
  const top = (each) => each.getBoundingClientRect().top;
  const isSeen = (each) => {
    const { top, bottom, left, right } = each.getBoundingClientRect();
    return each.checkVisibility() && bottom > 0 && top < innerHeight && right > 0 && left < innerWidth;
  };
  // What lies where one reads, the innermost first; of what holds other parts, these count, or where it begins.
  const reading = innerHeight / 3;
  const far = ([, each]) => {
    const { top, bottom, left, right, height } = each.getBoundingClientRect();
    const [above, below] = [Math.abs(top - reading), Math.abs(bottom - reading)];
    if (top > reading || bottom < reading) return 1 + Math.min(above, below);
    const holds = !each.matches("figure, figcaption, [role=application]") && each.querySelector("h1, h2, h3, h4, p, figure, th");
    // What lies beside, as a legend, comes after what lies in the middle.
    const isBeside = left > innerWidth / 2 || right < innerWidth / 2;
    return holds ? 1 + Math.min(above, reading) : isBeside / 2 + height / 1e6;
  };
  // Of what ends above it, the end stays: it may have grown.
  const place = ([key, each]) => {
    const { top, bottom } = each.getBoundingClientRect();
    return bottom < reading ? [key, "bottom", bottom] : [key, "top", top];
  };
  const seen = scrollY ? [...blocks].filter(([, each]) => isSeen(each)).sort((a, b) => far(a) - far(b)) : [];
  const places = seen.slice(0, 40).map(place);
  const open = [...parts].filter(([, each]) => each.open).map(([key]) => key);
  const typed = [...fields].filter(([, each]) => each.value !== each.defaultValue).map(([key, each]) => [key, each.value]);
  const focused = [...fields].find(([, each]) => each === document.activeElement)?.[0];
  // The whole report opens with other plots than a first look: those that one looks at stay, as do pictures below that go with them.
  const plots = document.querySelector(":is([data-viewer], [data-compare], [data-change], [data-series], [data-explore])");
  if (plots && !location.hash && document.querySelector(".draft") && top(plots) < innerHeight) {
    const detail = { fragment: "" };
    plots.dispatchEvent(new CustomEvent("address", { detail }));
    if (detail.fragment) history.replaceState(null, "", detail.fragment);
  }
  name = JSON.stringify({ tokviz: { places, scrolled: scrollY, open, typed, focused } });
  location.reload();
}
"""
"""Loads a page anew, and remembers what is being read, as more may stand above it then, which parts are open, and what was typed. A
window's name stays with it, even where the next page has another port."""
AGAIN = """
{
  // Of a plot and its caption the words change: which one it is of those in the part around it.
  const placed = (each) => {
    // One of the first page's small plots, by its layer, whatever its projection.
    if (each.matches(".glance a")) return each.getAttribute("href").match(/^[^#]*#[^/]*\\/[^/]*/)?.[0];
    if (each.role === "application") return `plot ${[...document.querySelectorAll("[role=application]")].indexOf(each)}`;
    const around = /^fig/.test(each.localName) && each.parentElement.closest("main [id], main [aria-label]");
    return around && `${around.id || around.ariaLabel} ${[...around.querySelectorAll(each.localName)].indexOf(each)}`;
  };
  const within = (each) => each.parentElement.closest("article, section, details")?.querySelector("h2, h3, summary")?.textContent.trim();
  // What can be told apart from all else of its kind on its page, or in its part, by its address, its place or its words.
  const known = (selector, words) => {
    const found = new Map();
    for (const each of document.querySelectorAll(selector)) {
      const key = `${each.tagName} ${each.id || (each.role !== "application" && each.ariaLabel) || placed(each) || words(each).trim()}`;
      for (const name of [`${key} in ${within(each)}`, key]) found.set(name, found.has(name) ? null : each);
    }
    return new Map([...found].filter(([, each]) => each));
  };
  window.tokvizKnown = () => ({
    blocks: known("main :is(h1, h2, h3, h4, p, dt, dd, li, figure, figcaption, caption, summary, legend, label, button, th, [id], [aria-label], [role=application], .glance a):not(svg *)", (each) => each.textContent),
    // How many there are in one may change.
    parts: known("main details", ({ firstElementChild: summary }) => (summary.ariaLabel ?? summary.textContent).replace(/[0-9]+/g, "")),
    fields: known("main :is(input[type=search], input[type=text], input:not([type]))", (each) => each.name),
  });
  if (name.startsWith('{"tokviz"')) {
    const { places, scrolled, open, typed, focused } = JSON.parse(name).tokviz;
    name = "";
    const stay = () => {
      const { blocks } = tokvizKnown();
      const place = places.find(([key]) => blocks.get(key)?.checkVisibility());
      if (place) scrollBy({ top: blocks.get(place[0]).getBoundingClientRect()[place[1]] - place[2], behavior: "instant" });
      // At another port a browser doesn't go on where it was by itself.
      else if (scrolled) scrollTo({ top: scrolled, behavior: "instant" });
    };
    const goOn = () => {
      const { parts, fields } = tokvizKnown();
      for (const key of open) if (parts.has(key)) parts.get(key).open = true;
      for (const [key, value] of typed) {
        const field = fields.get(key);
        if (field && !field.value) {
          field.value = value;
          field.dispatchEvent(new Event("input", { bubbles: true }));
        }
      }
      fields.get(focused)?.focus({ preventScroll: true });
      stay();
      // Tables and plots are made after a page has loaded; a reader who moves knows better.
      const sizes = new ResizeObserver(stay);
      sizes.observe(document.body);
      const end = () => sizes.disconnect();
      setTimeout(end, 20000);
      for (const moved of ["wheel", "touchstart", "pointerdown", "keydown"]) addEventListener(moved, end, { once: true, passive: true });
    };
    if (document.readyState === "complete") goOn();
    else addEventListener("load", () => setTimeout(goOn));
  }
  const problem = %(problem)s;
  let shown = document.getElementById("tokviz-problem");
  if (shown?.textContent !== problem) {
    shown?.remove();
    if (problem) {
      shown = document.createElement("pre");
      shown.id = "tokviz-problem";
      shown.textContent = problem;
      shown.setAttribute("role", "alert");
      shown.tabIndex = 0;
      shown.title = "Click, or press Escape, to hide this";
      Object.assign(shown.style, {
        position: "fixed", inset: "auto 0 0 0", zIndex: 2147483647, maxHeight: "60vh", overflow: "auto", margin: 0,
        padding: "16px 20px", font: "14px/1.5 monospace", whiteSpace: "pre-wrap", overflowWrap: "anywhere",
        color: "#fff", background: "#8a1c1c", boxSizing: "border-box", maxWidth: "none",
      });
      const hide = (pressed) => { if (pressed.type === "click" || pressed.key === "Escape") pressed.currentTarget.hidden = true; };
      shown.addEventListener("click", hide);
      shown.addEventListener("keydown", hide);
      document.body.append(shown);
    }
  }
  // Above the page, not in it: nothing that is being read moves.
  const early = %(early)s;
  const link = document.getElementById("tokviz-early");
  if (Boolean(link) !== Boolean(early)) {
    link?.remove();
    if (early) {
      const found = Object.assign(document.createElement("a"), { id: "tokviz-early", href: early, textContent: "A first look at the next report" });
      Object.assign(found.style, {
        position: "fixed", inset: "auto auto 12px 12px", zIndex: 2147483646, padding: "8px 14px", borderRadius: "6px",
        font: "14px/1.5 monospace", color: "#fff", background: "#1c4f8a",
      });
      document.body.prepend(found);
    }
  }
  const ask = () => {
    const script = document.createElement("script");
    script.src = "%(path)s";
    document.head.append(script);
  };
  setTimeout(() => {
    // What lies over the page, as an enlarged plot, is looked at until it is closed.
    const over = document.querySelector("dialog[open]");
    if (over) over.addEventListener("close", ask, { once: true });
    else ask();
  }, 1000);
  document.currentScript.remove();
}
"""

_WAITING = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>tokviz serve</title></head>
<body><p>%s</p>
</body>
</html>
"""
NONE_YET = _WAITING % "There is no report yet. With scripts, this page shows it as soon as it is made."
NO_PAGE = _WAITING % (
    'The report has no page at this address. If it gets one, this shows it, with scripts. <a href="/">The report</a>'
)
