"use strict";
Tokviz.enlargePlates = (board) => {
const LEAST_HEIGHT = 240;
function whatIsDrawn(link) {
const panel = link.closest(".panel[data-drawable]");
if (!panel) return board.plates.get(link);
const about = board.abouts.get(Tokviz.findCapture(board.index.models, panel.dataset).key);
const depth = [...panel.querySelectorAll(".slide")].indexOf(link.closest(".slide"));
return about?.view.has(depth) ? { about, depth } : null;
}
document.addEventListener("enlarge", (event) => {
const { holder, box } = event.detail;
const { about, depth } = whatIsDrawn(event.target) ?? {};
const isHighEnough = holder.closest("figure").clientHeight >= LEAST_HEIGHT;
if (about?.view.extents[depth] && isHighEnough) board.draw(holder, { about, depth, frame: holder.closest("figure"), fills: true });
else board.forget(holder);
const found = board.plates.get(holder);
if (!found || !board.layoutOf(found)) return;
event.preventDefault();
box.addEventListener("close", () => board.forget(holder), { once: true });
});
};
