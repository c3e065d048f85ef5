"use strict";

// The part of the page that is read is marked in its contents: the last one that begins above the middle of the window.
(() => {
  const nav = document.querySelector(".contents");
  if (!nav) return;
  const list = nav.querySelector("ul");
  // On phones the button says where one is.
  const here = document.createElement("span");
  nav.querySelector("button").append(here);
  const parts = [...list.querySelectorAll("a")].map((link) => ({ link, target: document.getElementById(link.hash.slice(1)), isAbove: false }));
  const known = parts.filter(({ target }) => target);

  function mark() {
    const read = known.findLast(({ isAbove }) => isAbove) ?? known[0];
    here.textContent = read.link.textContent;
    for (const { link } of known) {
      if (link === read.link) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  // All that lies above the window counts as seen.
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) known.find((each) => each.target === target).isAbove = isIntersecting;
    mark();
  }, { rootMargin: "1000000px 0px -50% 0px" });
  for (const { target } of known) observer.observe(target);

  // A menu closes when one of its entries is followed.
  list.addEventListener("click", ({ target }) => {
    if (target.closest("a") && list.matches(":popover-open")) list.hidePopover();
  });
})();
