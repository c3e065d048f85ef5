"use strict";
Tokviz.clouds = (() => {
const LEAST_WORDS = 4;
const OWN = 0.5;
const KEPT = 0.8;
const MOST_OTHERS = 0.25;
const median = (values) => values.sort((one, two) => one - two)[values.length >> 1];
function* nearest({ x, y, rows }) {
const order = [...rows].sort((one, two) => x[one] - x[two]);
const found = new Map();
for (let at = 0; at < order.length; at += 1) {
const row = order[at];
let least = Infinity;
for (const by of [-1, 1]) {
for (let other = at + by; order[other] !== undefined && Math.abs(x[order[other]] - x[row]) < least; other += by) {
const distance = Math.hypot(x[order[other]] - x[row], y[order[other]] - y[row]);
if (distance < least) {
least = distance;
found.set(row, order[other]);
}
}
}
yield;
}
return found;
}
const cross = ([ax, ay], [bx, by], [cx, cy]) => (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
function hullOf(points) {
const sorted = [...points].sort(([ax, ay], [bx, by]) => ax - bx || ay - by);
const half = (from) => {
const made = [];
for (const point of from) {
while (made.length > 1 && cross(made.at(-2), made.at(-1), point) <= 0) made.pop();
made.push(point);
}
return made.slice(0, -1);
};
return [...half(sorted), ...half(sorted.reverse())];
}
const isWithin = (hull, point) => hull.every((corner, at) => cross(corner, hull[(at + 1) % hull.length], point) >= 0);
function* inSteps(points, memberships, nCategories) {
const { x, y, rows } = points;
const next = yield* nearest(points);
const made = [];
for (let category = 0; category < nCategories; category += 1) {
const isOwn = (row) => memberships[row].includes(category);
const own = rows.filter(isOwn);
if (own.length < LEAST_WORDS || own.filter((row) => isOwn(next.get(row))).length <= OWN * own.length) continue;
const middle = { x: median(own.map((row) => x[row])), y: median(own.map((row) => y[row])) };
const away = (row) => Math.hypot(x[row] - middle.x, y[row] - middle.y);
const kept = own.sort((one, two) => away(one) - away(two)).slice(0, Math.ceil(KEPT * own.length));
const hull = hullOf(kept.map((row) => [x[row], y[row]]));
const others = rows.filter((row) => !isOwn(row) && isWithin(hull, [x[row], y[row]]));
if (others.length <= MOST_OTHERS * kept.length) made.push({ category, rows: kept, ...middle });
yield;
}
return made;
}
return { inSteps };
})();
