"use strict";

// Asks for the fonts early, for the first picture of the page; as the stylesheet does, anonymously except on a disk.
for (const name of ["source-serif-4.woff2", "source-sans-3.woff2", document.documentElement.dataset.font].filter(Boolean)) {
  const link = document.createElement("link");
  link.rel = "preload";
  link.as = "font";
  if (location.protocol !== "file:") link.crossOrigin = "anonymous";
  link.href = new URL(`fonts/${name}`, document.currentScript.src).href;
  document.head.append(link);
}
