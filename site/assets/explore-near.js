"use strict";

// Which words are near another one in a view of explore-data.js.
(() => {
  // The rows nearest to a word, nearest first, and in which space: the full one if the site has its neighbours. None where
  // the word stands in their place: other words have an identical state.
  Explore.neighbours = (view, depth, row, k = 5) => {
    const key = depth * view.n + row;
    if (view.fullSpace) {
      const first = key * view.fullSpace.k;
      const rows = [...view.fullSpace.rows.subarray(first, first + view.fullSpace.k)].filter((other) => other !== row);
      return { rows, where: "in all dimensions", reason: "other words have an identical state" };
    }
    if (!view.pictured.has(key)) view.pictured.set(key, view.limits[depth] ? inPicture(view, depth, row, k) : []);
    return { rows: view.pictured.get(key), where: "in the plot", reason: "there is no plot of this depth" };
  };

  function inPicture(view, depth, row, k) {
    const [x0, x1, y0, y1] = view.limits[depth];
    const places = view.at(depth);
    const [width, height] = [x1 - x0, y1 - y0];
    const best = [];
    for (let other = 0; other < view.n; other += 1) {
      if (other === row) continue;
      const distance = Math.hypot(
        width * (places[2 * other] - places[2 * row]), height * (places[2 * other + 1] - places[2 * row + 1]));
      if (best.length === k && distance >= best[k - 1][0]) continue;
      best.push([distance, other]);
      best.sort((one, two) => one[0] - two[0]);
      best.length = Math.min(best.length, k);
    }
    return best.map(([, other]) => other);
  }
})();
