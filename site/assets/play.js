"use strict";
Tokviz.player = (button, { at, last, go }) => {
const PACE = 900;
let timer = null;
function show(text, isPlaying) {
button?.replaceChildren(text);
button?.setAttribute("aria-pressed", String(isPlaying));
}
function stop() {
clearInterval(timer);
timer = null;
show("Play", false);
}
function start() {
go(at() === last() ? 0 : at() + 1);
timer = setInterval(() => {
if (at() === last()) stop();
else go(at() + 1);
}, PACE);
show("Stop", true);
}
button?.addEventListener("click", () => (timer === null ? start() : stop()));
return { stop };
};
