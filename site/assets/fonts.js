"use strict";
for (const name of ["source-serif-4.woff2", "source-sans-3.woff2", document.documentElement.dataset.font].filter(Boolean)) {
const link = document.createElement("link");
link.rel = "preload";
link.as = "font";
if (location.protocol !== "file:") link.crossOrigin = "anonymous";
link.href = new URL(`fonts/${name}`, document.currentScript.src).href;
document.head.append(link);
}
