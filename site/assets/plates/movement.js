"use strict";
Tokviz.movement = (() => {
const DURATION = 900;
const MOST = 1500;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const translated = (x, y) => `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
const eased = (share) => (share < 0.5 ? 4 * share ** 3 : 1 - 4 * (1 - share) ** 3);
function middleOf({ x, y }) {
const n = x.length;
return [x.reduce((sum, each) => sum + each, 0) / n, y.reduce((sum, each) => sum + each, 0) / n];
}
function turnBetween(from, to) {
const [[fx, fy], [tx, ty]] = [middleOf(from), middleOf(to)];
let [xx, xy, yx, yy] = [0, 0, 0, 0];
for (let row = 0; row < from.x.length; row += 1) {
const [a, b, c, d] = [from.x[row] - fx, from.y[row] - fy, to.x[row] - tx, to.y[row] - ty];
xx += a * c;
xy += a * d;
yx += b * c;
yy += b * d;
}
const flip = Math.hypot(xx - yy, xy + yx) > Math.hypot(xx + yy, xy - yx) ? -1 : 1;
return { angle: Math.atan2(xy - flip * yx, xx + flip * yy), flip };
}
function between(from, to, { angle, flip }, share) {
const [[fx, fy], [tx, ty]] = [middleOf(from), middleOf(to)];
const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
const [backCos, backSin] = [Math.cos(angle * (share - 1)), Math.sin(angle * (share - 1))];
const squeezed = flip < 0 ? 2 * share - 1 : 1;
const [middleX, middleY] = [fx + (tx - fx) * share, fy + (ty - fy) * share];
const n = from.x.length;
const [x, y] = [new Float64Array(n), new Float64Array(n)];
for (let row = 0; row < n; row += 1) {
const [a, b] = [from.x[row] - fx, flip * (from.y[row] - fy)];
const [turnedX, turnedY] = [a * cos - b * sin, a * sin + b * cos];
const [px, py] = [turnedX + (to.x[row] - tx - turnedX) * share, turnedY + (to.y[row] - ty - turnedY) * share];
const [ux, uy] = [px * cos + py * sin, squeezed * (py * cos - px * sin)];
const [vx, vy] = [ux * cos - uy * sin, ux * sin + uy * cos];
x[row] = middleX + vx * backCos - vy * backSin;
y[row] = middleY + vx * backSin + vy * backCos;
}
return { x, y };
}
function namesAlong(from, to) {
const keyOf = ({ row, category }) => (category === undefined ? row : `of ${category}`);
const before = new Map(from.labels.map((name) => [keyOf(name), name]));
const middle = ({ x, y }, rows) => middleOf({ x: rows.map((row) => x[row]), y: rows.map((row) => y[row]) });
const away = ({ left, base, endX, endY }, [x, y]) => [left - x, base - y, endX - x, endY - y];
const moved = to.labels.map((name) => {
const end = away(name, middle(to.points, name.rows));
const other = before.get(keyOf(name));
return { name, isNew: !other, end, begin: other ? away(other, middle(from.points, name.rows)) : end };
});
return (places, share) => {
for (const { name: { rows, left, base, label, line }, isNew, begin, end } of moved) {
const [x, y] = middle(places, rows);
const [atX, atY, endX, endY] = begin.map((each, index) => each + share * (end[index] - each));
label.setAttribute("transform", translated(x + atX - left, y + atY - base));
line?.setAttribute("d", `M${x.toFixed(1)} ${y.toFixed(1)}L${(x + endX).toFixed(1)} ${(y + endY).toFixed(1)}`);
if (isNew) for (const part of [label, line]) part?.setAttribute("opacity", share.toFixed(2));
}
};
}
function move(from, to, turns, paint, done) {
const turn = turns ? turnBetween(from, to) : { angle: 0, flip: 1 };
const begun = performance.now();
let frame = null;
function step(now) {
const share = Tokviz.clamp((now - begun) / DURATION, 0, 1);
if (share === 1) return finish();
paint(between(from, to, turn, eased(share)), eased(share));
frame = requestAnimationFrame(step);
return undefined;
}
function finish() {
cancelAnimationFrame(frame);
paint(to, 1);
done();
}
paint(from, 0);
frame = requestAnimationFrame(step);
return finish;
}
function follow(found, from, turns, rowOf) {
const { made, drawing } = found;
const n = made.points.x.length;
if (STILL.matches || from.points.x.length !== n || n > MOST) return;
const point = drawing.querySelector(".plate-point");
const moveNames = namesAlong(from, made);
drawing.classList.add("moving");
found.stop = move(from.points, made.points, turns, (places, share) => {
const { x, y } = places;
made.marks.forEach((mark, row) => mark.setAttribute("transform", translated(x[row], y[row])));
moveNames(places, share);
const row = rowOf();
if (row !== null) point.setAttribute("transform", translated(x[row] - made.points.x[row], y[row] - made.points.y[row]));
}, () => {
drawing.classList.remove("moving");
found.stop = null;
});
}
return { follow, between, turnBetween, DURATION };
})();
