"use strict";

// A part of the page that is folded opens where an address leads to it or into it. Not every browser does that by itself.
(() => {
  function open(hash) {
    const target = document.getElementById(hash.slice(1));
    const part = target?.closest("details.part");
    if (!part || part.open) return;
    part.open = true;
    target.scrollIntoView({ behavior: "instant" });
  }

  // A link to where one is already doesn't change the address.
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href^='#']");
    if (link) open(link.hash);
  });
  window.addEventListener("hashchange", () => open(location.hash));
  open(location.hash);
})();
