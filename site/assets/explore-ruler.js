"use strict";

// The depth ruler of the model that is shown first: its slider, ticks, stages and sparklines, as the models' pages draw them.
(() => {
  // Where the embedding stands, and how far the last layer is from it, in percent.
  const START = 4.4;
  const LENGTH = 91.2;
  const FLIPS = 72;
  const NARROWEST_NAMED = 2;
  const { svg, clamp, depthName } = Explore;
  const percent = (number) => `${number.toFixed(3)}%`;

  class Ruler {
    constructor(root, moved) {
      this.root = root;
      this.range = root.querySelector("input[type=range]");
      this.output = root.querySelector("output");
      this.scale = root.querySelector(".scale");
      this.plate = root.querySelector(".plate");
      // The slider says all that the links do.
      this.scale.setAttribute("aria-hidden", "true");
      this.range.addEventListener("input", () => moved(Number(this.range.value)));
    }

    setView(view) {
      if (view === this.view) return;
      this.view = view;
      this.last = view.last;
      this.range.max = view.last;
      this.root.classList.toggle("ruler-measured", view.measures !== null);
      const foot = svg("svg", { y: "100%", overflow: "visible" });
      if (view.measures) foot.append(...this.measures(view.measures));
      foot.append(...this.axis());
      this.scale.replaceChildren(foot);
      const { strip } = view.capture.shown;
      if (this.plate) this.plate.hidden = !strip;
      if (this.plate && strip) this.setStrip(strip, view);
    }

    setStrip(strip, view) {
      const { model, context, shown } = view.capture;
      for (const [element, attribute, form] of [["source", "srcset", "phone"], ["img", "src", "wide"]]) {
        const found = this.plate.querySelector(element);
        const { src, size } = strip[form];
        if (found.getAttribute(attribute) !== src) found.setAttribute(attribute, src);
        [found.width, found.height] = size;
      }
      const image = this.plate.querySelector("img");
      image.loading = "eager";
      image.alt = `${model.name}, ${context.label}, ${shown.label}: all ${view.last + 1} depths, without labels`;
    }

    setDepth(depth, text) {
      const share = this.last ? depth / this.last : 0;
      this.range.value = depth;
      this.range.setAttribute("aria-valuetext", text);
      if (this.output.value !== depthName(depth)) this.output.value = depthName(depth);
      this.output.style.left = percent(START + LENGTH * share);
      this.output.style.transform = `translateX(${percent(-100 * share)})`;
    }

    x(depth) {
      return START + (LENGTH * depth) / (this.last || 1);
    }

    axis() {
      const made = [svg("line", { class: "axis", x1: percent(START), x2: percent(START + LENGTH), y1: -26, y2: -26 })];
      const step = [1, 2, 5, 10, 20, 50, 100].find((size) => this.last / size <= 7) ?? 1000;
      for (let depth = 0; depth <= this.last; depth += 1) {
        const x = this.x(depth);
        const end = depth === 0 || depth === this.last;
        const named = end || ((depth - 1) % step === 0 && x >= 18 && x <= 84);
        made.push(svg("line", { class: named ? "major" : "minor", x1: percent(x), x2: percent(x), y1: -26, y2: named ? -18 : -22 }));
        if (!named) continue;
        const [at, anchor] = depth === 0 ? [0, "start"] : end ? [100, "end"] : [x, "middle"];
        made.push(svg("text", { x: percent(at), y: -4, "text-anchor": anchor }, end ? depthName(depth) : String(depth - 1)));
      }
      return made;
    }

    measures({ stages, emergence, purity, chance, norm, norms }) {
      const made = [];
      const names = [];
      stages.forEach((first, index) => {
        const left = Math.max(this.x(first - 0.5), 0);
        const right = Math.min(this.x((stages[index + 1] ?? this.last + 1) - 0.5), 100);
        made.push(svg("rect", {
          class: index % 2 ? "band" : "band shaded", x: percent(left), width: percent(right - left), y: -82, height: 56,
        }));
        if (right - left < NARROWEST_NAMED) return;
        names.push(svg("text", { class: "band-name", x: percent((left + right) / 2), y: -30, "text-anchor": "middle" }, index + 1));
      });
      if (emergence !== null) {
        const x = percent(this.x(emergence));
        made.push(svg("line", { class: "mark", x1: x, x2: x, y1: -82, y2: -16 }));
      }
      made.push(...this.spark("purity", -81, purity.map((value) => value), chance));
      if (norms) {
        let [low, high] = norms.map(Math.log10);
        const missing = Math.max(1 - (high - low), 0) / 2;
        [low, high] = [low - missing, high + missing];
        made.push(...this.spark("norm", -60, norm.map((value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : null)), null));
      }
      made.push(...names);
      if (emergence !== null) {
        const x = this.x(emergence);
        const flips = x > FLIPS;
        made.push(svg("text", { class: "mark-name", x: percent(flips ? x - 0.8 : x + 0.8), y: -70, "text-anchor": flips ? "end" : "start" },
          emergence ? `massive from layer ${emergence - 1}` : "massive from the embedding"));
      }
      return made;
    }

    // A hairline of values between 0 and 1; what isn't defined breaks it.
    spark(name, y, values, chance) {
      const drawing = svg("svg", { y, width: "100%", height: 18, viewBox: "0 0 1000 100", preserveAspectRatio: "none", overflow: "visible" });
      for (const [kind, line] of [["chance", chance], ["spark", values]]) {
        if (!line) continue;
        let down = false;
        const d = line.map((value, depth) => {
          if (value === null) {
            down = false;
            return "";
          }
          const point = `${(10 * this.x(depth)).toFixed(1)} ${(100 * (1 - clamp(value, 0, 1))).toFixed(1)}`;
          const part = down ? `L${point}` : `M${point}h.1`;
          down = true;
          return part;
        }).join("");
        drawing.append(svg("path", { class: kind, d }));
      }
      return [drawing, svg("text", { class: "spark-name", x: 0, y: y + 13 }, name)];
    }
  }

  Explore.Ruler = Ruler;
})();
