"use strict";

// Asks for the fonts before the stylesheet does, for the first picture of the page: anonymously on a server and not on a
// disk, as the stylesheet does.
const { font } = document.documentElement.dataset;
for (const name of ["source-serif-4.woff2", "source-sans-3.woff2", font].filter(Boolean)) {
  const link = document.createElement("link");
  link.rel = "preload";
  link.as = "font";
  if (location.protocol !== "file:") link.crossOrigin = "anonymous";
  link.href = new URL(`fonts/${name}`, document.currentScript.src).href;
  document.head.append(link);
}
