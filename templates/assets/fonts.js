"use strict";

// Asks for the fonts before the stylesheet does, so that they are there for the first picture of the page. A stylesheet
// asks for fonts anonymously on a server, but not on a disk, and what is asked for early must match that.
for (const name of ["source-serif-4", "source-sans-3"]) {
  const link = document.createElement("link");
  link.rel = "preload";
  link.as = "font";
  link.type = "font/woff2";
  if (location.protocol !== "file:") link.crossOrigin = "anonymous";
  link.href = new URL(`fonts/${name}.woff2`, document.currentScript.src).href;
  document.head.append(link);
}
