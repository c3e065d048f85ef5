"use strict";
(() => {
const BEYOND = 0.05;
class Motion {
constructor(from, to, { width, height }, turns) {
Object.assign(this, { to, width, height });
[this.begin, this.end] = [from, to].map((places) => this.pixels(places));
this.turn = turns ? Tokviz.movement.turnBetween(this.begin, this.end) : { angle: 0, flip: 1 };
}
pixels(places) {
const within = (at) => Tokviz.clamp(places[at], -BEYOND, 1 + BEYOND);
const rows = Array.from({ length: places.length / 2 }, (_, row) => 2 * row);
return {
x: Float64Array.from(rows, (at) => within(at) * this.width), y: Float64Array.from(rows, (at) => (1 - within(at + 1)) * this.height),
};
}
fill(places, share) {
if (share === 1) {
places.set(this.to);
return;
}
const { x, y } = Tokviz.movement.between(this.begin, this.end, this.turn, share);
for (let row = 0; row < x.length; row += 1) {
places[2 * row] = x[row] / this.width;
places[2 * row + 1] = 1 - y[row] / this.height;
}
}
}
Explore.Motion = Motion;
})();
