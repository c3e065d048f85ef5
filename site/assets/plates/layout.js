"use strict";
Tokviz.plateLayout = (() => {
const { clamp } = Tokviz;
const LEAST = 11;
const LARGEST = 13;
const MIDDLE = 640;
const TITLE_HEIGHT = 18;
const TICK = 4;
const PITCH = 24;
const MIDDLE_PITCH = 20;
const LEAST_PITCH = 17;
const SWATCH = 20;
const NOTE = 15;
const NOTES = 10;
const LEAST_HEIGHT = 0.45;
const MANY = 240;
const REACH = 40;
const MIDDLE_REACH = 120;
const NARROW = 480;
const NARROW_REACH = 58;
const REACH_OF_MANY = 20;
function reachOf(width, nWords) {
if (nWords > MANY) return REACH_OF_MANY;
if (width >= MIDDLE) return REACH;
return width < NARROW ? NARROW_REACH : MIDDLE_REACH;
}
const textSize = (width) => clamp(Math.round((2 * width) / 65) / 2, LEAST, LARGEST);
function layout({ width, height, nCategories, nameWidth, tickWidth, titleLines, nWords, isKeyless = false }) {
const size = textSize(width);
const around = {
left: Math.ceil(tickWidth) + TICK + 6,
top: 8 + titleLines * TITLE_HEIGHT + 3 + size,
bottom: TICK + size + 8,
};
const sheet = { width, height, size, nCategories, around, keyWidth: Math.ceil(Math.min(nameWidth, width / 4)) + SWATCH + 4 };
const best = larger(keyBeside(sheet), keyBelow(sheet), width < MIDDLE) ?? (isKeyless ? withoutKey(sheet) : null);
if (best === null) return null;
const diameter = (width < MIDDLE ? 6 : 7.5) * (nWords > MANY ? Math.max(0.6, Math.sqrt(MANY / nWords)) : 1);
return { width, height, size, diameter, reach: reachOf(width, nWords), ...best };
}
function larger(first, second, compared) {
const sizeOf = ({ area }) => (area.right - area.left) * (area.bottom - area.top);
if (first === null || second === null) return first ?? second;
return compared && sizeOf(second) > sizeOf(first) ? second : first;
}
function keyBeside({ width, height, size, nCategories, around, keyWidth }) {
const area = { left: around.left, top: around.top, right: width - keyWidth - 14, bottom: height - around.bottom };
const isTall = area.bottom - area.top - NOTES * NOTE >= nCategories * MIDDLE_PITCH;
if (!isTall) area.bottom -= 2 * NOTE;
const space = area.bottom - area.top - (isTall ? NOTES * NOTE : 0);
const pitch = Math.min(PITCH, Math.floor(space / nCategories));
if (width < height || pitch < LEAST_PITCH) return null;
const key = { left: area.right + 10, top: area.top, width: keyWidth, columns: 1, rows: nCategories, pitch, size };
const below = { ...key, top: area.top + nCategories * pitch + 4, isColumn: true };
return { area, end: area.right, key, note: isTall ? below : noteAtFoot(width, height, 2) };
}
function keyBelow({ width, height, size, nCategories, around, keyWidth }) {
const columns = clamp(Math.floor((width - 16) / (keyWidth + 6)), 1, nCategories);
const rows = Math.ceil(nCategories / columns);
const lines = width < MIDDLE ? 2 : 1;
const tall = rows * PITCH + lines * NOTE + 6;
const area = { left: around.left, top: around.top, right: width - 8, bottom: height - around.bottom - tall };
if (area.bottom - area.top < LEAST_HEIGHT * height) return null;
const key = { left: 8, top: height - tall, width: width - 16, columns, rows, pitch: PITCH, size };
return { area, end: width, key, note: noteAtFoot(width, height, lines) };
}
function withoutKey({ width, height, around }) {
const area = { left: around.left, top: around.top, right: width - 8, bottom: height - around.bottom - NOTE - 3 };
return area.bottom - area.top < LEAST_HEIGHT * height ? null : { area, end: width, key: null, note: noteAtFoot(width, height, 1) };
}
const noteAtFoot = (width, height, lines) => ({ left: 8, top: height - lines * NOTE - 3, width: width - 16, isColumn: false });
function spread(places, n, pane, inset) {
const { left, top, right, bottom } = pane.area;
const [x, y, beyond] = [new Float64Array(n), new Float64Array(n), []];
for (let row = 0; row < n; row += 1) {
const [across, down] = pane.place(places[2 * row], places[2 * row + 1]);
x[row] = clamp(across, left + inset, right - inset);
y[row] = clamp(down, top + inset, bottom - inset);
beyond.push([sideOf(across, left, right), sideOf(down, top, bottom)]);
}
return { x, y, beyond };
}
const sideOf = (place, low, high) => (place < low - 0.5 ? -1 : place > high + 0.5 ? 1 : 0);
function withArrow(text, side) {
const arrow = Explore.arrow(side);
if (!arrow) return text;
return side[0] < 0 ? `${arrow} ${text}` : `${text} ${arrow}`;
}
function nearest({ x, y }, rows, [left, top], most) {
let [found, least] = [null, most];
for (const row of rows) {
const distance = Math.hypot(x[row] - left, y[row] - top);
if (distance < least) [found, least] = [row, distance];
}
return found;
}
return { textSize, layout, spread, withArrow, nearest, LEAST };
})();
