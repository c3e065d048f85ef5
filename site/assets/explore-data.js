"use strict";

// What the explorer shows: an index in the page, and scripts that hand their content to tokvizData when they are loaded.
// A page opened from disk may not fetch, but it may add a script.
const Explore = {};

(() => {
  const arrived = new Map();
  const asked = new Map();

  // A word as part of a list: what is written from right to left turns only itself around.
  const TURNING = /[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;
  Explore.isolated = (text) => (TURNING.test(text) ? `\u2068${text}\u2069` : text);

  window.tokvizData = (key, content) => arrived.set(key, content);

  function load(key, source) {
    if (!asked.has(key)) {
      asked.set(key, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        const fail = () => {
          asked.delete(key);
          script.remove();
          reject(new Error(`${source} could not be loaded. Is the site’s data folder complete?`));
        };
        script.src = source;
        script.addEventListener("load", () => (arrived.has(key) ? resolve(arrived.get(key)) : fail()));
        script.addEventListener("error", fail);
        document.head.append(script);
      }));
    }
    return asked.get(key);
  }

  // Little-endian unsigned integers of so many bytes, from base64.
  function unpacked(text, size) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return size === 2 ? new Uint16Array(bytes.buffer) : bytes;
  }

  class Index {
    constructor(content) {
      Object.assign(this, content);
    }

    // The capture of these names; what isn't known is replaced by the first of its kind.
    capture(names) {
      const model = this.models.find(({ slug }) => slug === names.model) ?? this.models[0];
      const context = model.contexts.find(({ name }) => name === names.context) ?? model.contexts[0];
      const shown = context.projections.find(({ name }) => name === names.projection) ?? context.projections[0];
      return { model, context, shown, key: `${model.slug}/${context.name}/${shown.name}` };
    }

    has(key) {
      const [model, context, projection] = key.split("/");
      return this.capture({ model, context, projection }).key === key;
    }

    captures() {
      return this.models.flatMap((model) => model.contexts.flatMap((context) => context.projections.map((shown) =>
        this.capture({ model: model.slug, context: context.name, projection: shown.name }))));
    }

    async view(capture) {
      const { model, context, shown } = capture;
      const name = `${model.slug}/${context.name}`;
      const folder = `${model.data}/${context.name}`;
      const [words, tokens, drawn, near] = await Promise.all([
        load("words", this.words),
        load(name, `${folder}/words.js`),
        load(capture.key, `${folder}/coordinates-${shown.name}.js`),
        context.neighbours ? load(`${name} neighbours`, `${folder}/neighbours.js`) : null,
      ]);
      this.vocabulary ??= new Vocabulary(words);
      return new View(capture, this.vocabulary, tokens, drawn, near);
    }
  }

  class Vocabulary {
    constructor({ words, memberships }) {
      this.words = words;
      this.memberships = memberships;
      this.folded = words.map((word) => word.toLocaleLowerCase());
      this.rows = new Map(words.map((word, row) => [word, row]));
    }

    // Rows of the words that begin with the text, then of those that hold it.
    find(text, most = Infinity) {
      const wanted = text.trim().toLocaleLowerCase();
      if (!wanted) return [];
      const [first, then] = [[], []];
      this.folded.forEach((word, row) => {
        const at = word.indexOf(wanted);
        if (at === 0) first.push(row);
        else if (at > 0) then.push(row);
      });
      return [...first.sort((a, b) => this.folded[a].length - this.folded[b].length), ...then].slice(0, most);
    }
  }

  // One model × context × projection: where its words stand at each depth, 0–1 between the depth's axis limits.
  class View {
    constructor(capture, vocabulary, tokens, drawn, near) {
      this.capture = capture;
      this.vocabulary = vocabulary;
      this.n = vocabulary.words.length;
      this.last = drawn.limits.length - 1;
      this.limits = drawn.limits;
      this.variance = drawn.variance;
      this.problems = drawn.problems;
      this.measures = tokens.measures;
      this.pieces = tokens.pieces;
      this.modules = tokens.modules;
      this.outside = new Set(tokens.outside);
      this.hollow = tokens.pieces.map((pieces, row) => pieces.length > 1 || this.outside.has(row));
      const whole = unpacked(drawn.places, 2);
      this.places = Float32Array.from(whole, (step) => step / 65535);
      this.beyond = drawn.limits.map(() => new Set());
      for (const [depth, row, x, y] of drawn.beyond) {
        this.places.set([x, y], 2 * (depth * this.n + row));
        this.beyond[depth].add(row);
      }
      this.pictured = new Map();
      this.near = near && { k: near.k, rows: unpacked(near.rows, this.n <= 256 ? 1 : 2) };
    }

    at(depth) {
      return this.places.subarray(2 * depth * this.n, 2 * (depth + 1) * this.n);
    }

    // PC1 and PC2 of a word, as the plate's axes have them.
    values(depth, row) {
      const limits = this.limits[depth];
      if (!limits) return null;
      const [x, y] = this.at(depth).subarray(2 * row, 2 * row + 2);
      return [limits[0] + x * (limits[1] - limits[0]), limits[2] + y * (limits[3] - limits[2])];
    }

    // The rows nearest to a word, nearest first, and where they are nearest: in the full space if the site says so.
    neighbours(depth, row, k = 5) {
      if (this.near) {
        const first = (depth * this.n + row) * this.near.k;
        return { rows: [...this.near.rows.subarray(first, first + this.near.k)], where: "in all dimensions" };
      }
      const key = depth * this.n + row;
      if (!this.pictured.has(key)) this.pictured.set(key, this.limits[depth] ? this.nearestInPicture(depth, row, k) : []);
      return { rows: this.pictured.get(key), where: "in the picture" };
    }

    nearestInPicture(depth, row, k) {
      const [x0, x1, y0, y1] = this.limits[depth];
      const places = this.at(depth);
      const [width, height] = [x1 - x0, y1 - y0];
      const best = [];
      for (let other = 0; other < this.n; other += 1) {
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
  }

  Explore.Index = Index;
  Explore.depthName = (depth) => (depth === 0 ? "embedding" : `layer ${depth - 1}`);
  Explore.percent = (ratio) => (ratio === null ? "–" : `${(100 * ratio).toFixed(1)}\u00a0%`);
  Explore.clamp = (value, low, high) => Math.max(low, Math.min(value, high));
  Explore.number = (value) => {
    const size = Math.abs(value);
    const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  };
})();
