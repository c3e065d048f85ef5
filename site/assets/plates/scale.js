"use strict";
Tokviz.plotScale = (() => {
const MODES = ["both", "true", "magnified"];
const KEY = "m";
const scale = {
mode: MODES[0],
MODES,
get address() {
return scale.mode === MODES[0] ? "" : `&scale=${scale.mode}`;
},
open(fragment) {
const [, wanted] = fragment.match(/&scale=([a-z]+)/) ?? [];
set(MODES.includes(wanted) ? wanted : MODES[0]);
return fragment.replace(/&scale=[a-z]+/, "");
},
choose(mode) {
if (set(mode)) document.dispatchEvent(new CustomEvent("scale-chosen"));
},
};
function set(mode) {
const isNew = mode !== scale.mode;
scale.mode = mode;
if (isNew) document.dispatchEvent(new CustomEvent("scale"));
return isNew;
}
const isOffered = () => [...document.querySelectorAll(".plate-scale, .plot-scale")]
.some((each) => each.checkVisibility({ visibilityProperty: true }));
document.addEventListener("keydown", (event) => {
if (event.key.toLowerCase() !== KEY || !isOffered() || Tokviz.hasModifier(event) || event.target.matches?.("input:not([type=radio], [type=range]), select, textarea")) return;
scale.choose(MODES[(MODES.indexOf(scale.mode) + 1) % MODES.length]);
});
return scale;
})();
