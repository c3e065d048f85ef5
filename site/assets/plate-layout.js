"use strict";

// Where the parts of a plate stand, at the size at which it is shown. Pure: numbers in, numbers out; in CSS pixels.
Tokviz.plateLayout = (() => {
  const { clamp } = Tokviz;
  // Sizes of text; a word is never smaller than the least.
  const LEAST = 11;
  const LARGEST = 13;
  // A narrower plate has smaller marks.
  const MIDDLE = 640;
  const TITLE_HEIGHT = 18;
  // Of the axes' ticks, and of the text below them.
  const TICK = 4;
  // A row of the key; where there are many categories rows are lower, where there are too many there is no drawing.
  const PITCH = 24;
  const MIDDLE_PITCH = 20;
  const LEAST_PITCH = 17;
  const SWATCH = 20;
  const NOTE = 15;
  // Lines of notes in a column.
  const NOTES = 10;
  const LEAST_HEIGHT = 0.45;
  // Above so many words marks are smaller, and names stand beside them only.
  const MANY = 240;
  // How far a name may stand from its mark; on a plate as narrow as a phone long lines would cover much of it.
  const REACH = 120;
  const NARROW = 480;
  const NARROW_REACH = 52;

  const textSize = (width) => clamp(Math.round((2 * width) / 65) / 2, LEAST, LARGEST);

  // The areas of points and key, and up to what `end` a note on a word may reach; null where the key would leave too little.
  // `nameWidth` is the width of the longest category's name, `tickWidth` that of the widest label on PC2's axis; with `isKeyless` the
  // key is left out instead.
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
    return { width, height, size, diameter, reach: nWords > MANY ? 15 : width < NARROW ? NARROW_REACH : REACH, ...best };
  }

  // Which of two layouts to take: the first where there is space for it, unless `compared` and the second has a larger area.
  function larger(first, second, compared) {
    const sizeOf = ({ area }) => (area.right - area.left) * (area.bottom - area.top);
    if (first === null || second === null) return first ?? second;
    return compared && sizeOf(second) > sizeOf(first) ? second : first;
  }

  // The key in a column at the right, as wide plates have it; the notes below it, or below the axis where they don't fit.
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

  // The key in rows below the points, as plates of phones have it.
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

  // Two to `most` round values within an axis, with their labels: `−24,000`, `0.5`, `2×10⁷`.
  function ticks(low, high, most = 5) {
    const finest = Math.floor(Math.log10((high - low) / 20));
    const steps = [0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((mantissa) => mantissa * 10 ** (finest + power)));
    const step = steps.find((each) => Math.floor(high / each) - Math.ceil(low / each) < most) ?? high - low;
    const values = [];
    for (let whole = Math.ceil(low / step); whole <= Math.floor(high / step); whole += 1) values.push(whole * step || 0);
    const exponent = Math.floor(Math.log10(Math.max(step, ...values.map(Math.abs))));
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    const textOf = exponent >= 6 || exponent < -3
      ? (value) => (value ? `${Number((value / 10 ** exponent).toPrecision(3))}×10${superscript(exponent)}` : "0")
      : (value) => value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return values.map((value) => [value, textOf(value).replace("-", "−")]);
  }

  const superscript = (number) => String(number).replace(/./g, (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));

  // The places of words, 0 to 1 between the axes' limits, in pixels of an area; and on which side they lie beyond it.
  function spread(places, n, area, inset) {
    const [x, y, beyond] = [new Float64Array(n), new Float64Array(n), []];
    for (let row = 0; row < n; row += 1) {
      const [across, up] = [places[2 * row], places[2 * row + 1]];
      x[row] = clamp(area.left + across * (area.right - area.left), area.left + inset, area.right - inset);
      y[row] = clamp(area.bottom - up * (area.bottom - area.top), area.top + inset, area.bottom - inset);
      beyond.push([sideOf(across), -sideOf(up)]);
    }
    return { x, y, beyond };
  }

  const sideOf = (share) => (share < 0 ? -1 : share > 1 ? 1 : 0);

  const ARROWS = {
    "-1,0": "←", "1,0": "→", "0,-1": "↑", "0,1": "↓", "-1,-1": "↖", "1,-1": "↗", "1,1": "↘", "-1,1": "↙",
  };

  // A word with an arrow to the side on which it lies beyond the axes.
  function withArrow(text, side) {
    const arrow = ARROWS[side.join()];
    if (!arrow) return text;
    return side[0] < 0 ? `${arrow} ${text}` : `${text} ${arrow}`;
  }

  // The row of the mark nearest to a point, within a distance; null where there is none.
  function nearest({ x, y }, rows, [left, top], most) {
    let [found, least] = [null, most];
    for (const row of rows) {
      const distance = Math.hypot(x[row] - left, y[row] - top);
      if (distance < least) [found, least] = [row, distance];
    }
    return found;
  }

  return { textSize, layout, ticks, spread, withArrow, nearest };
})();
