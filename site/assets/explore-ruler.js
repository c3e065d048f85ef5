"use strict";

// The depth ruler of the model that is shown first: its slider, ticks, stages and sparklines, as the models' pages draw them.
(() => {
  const { svg, clamp, depthName, geometry, percent } = Tokviz;

  class Ruler {
    constructor(root, moved) {
      this.root = root;
      this.range = root.querySelector("input[type=range]");
      this.output = root.querySelector("output");
      this.scale = root.querySelector(".scale");
      this.plate = root.querySelector(".plate");
      // The slider says all that the links do.
      this.scale.setAttribute("aria-hidden", "true");
      Tokviz.listenToSlider(this.range, moved);
    }

    setView(view) {
      if (view === this.view) return;
      this.view = view;
      this.last = view.last;
      this.range.max = view.last;
      this.root.classList.toggle("ruler-measured", view.measures !== null);
      const measures = view.measures ? this.measures(view.measures) : [];
      this.scale.replaceChildren(Tokviz.rulerFoot(...measures, ...Tokviz.axis(Tokviz.depthTicks(view.last), view.last)));
      const { strip } = view.capture.shown;
      if (this.plate) this.plate.hidden = !strip;
      if (this.plate && strip) this.setStrip(strip, view);
    }

    setStrip(strip, view) {
      const alt = `${Tokviz.captures.label(view.capture)}: all ${view.last + 1} depths, without labels`;
      Tokviz.setPicture(this.plate, (form) => strip[form], alt);
    }

    setDepth(depth, text) {
      this.range.value = depth;
      this.range.setAttribute("aria-valuetext", text);
      if (this.output.value !== depthName(depth)) this.output.value = depthName(depth);
      Tokviz.placeLabel(this.output, depth, this.last);
    }

    x(depth) {
      return Tokviz.place(depth, this.last);
    }

    measures({ stages, emergence, purity, chance, norm, norms }) {
      const made = [];
      const names = [];
      stages.forEach((first, index) => {
        const left = Math.max(this.x(first - 0.5), 0);
        const right = Math.min(this.x((stages[index + 1] ?? this.last + 1) - 0.5), 100);
        made.push(svg("rect", {
          class: index % 2 ? "band" : "band shaded", x: percent(left), width: percent(right - left), y: -98, height: 72,
        }));
        if (right - left < geometry.narrowestBand) return;
        names.push(svg("text", { class: "band-name", x: percent((left + right) / 2), y: -30, "text-anchor": "middle" }, index + 1));
      });
      if (emergence !== null) {
        const x = percent(this.x(emergence));
        made.push(svg("line", { class: "mark", x1: x, x2: x, y1: -98, y2: -16 }));
      }
      made.push(...this.spark("purity", -83, purity, chance));
      if (norms) {
        let [low, high] = norms.map(Math.log10);
        const missing = Math.max(1 - (high - low), 0) / 2;
        [low, high] = [low - missing, high + missing];
        made.push(...this.spark("norm", -56, norm.map((value) => (value > 0 ? (Math.log10(value) - low) / (high - low) : null)), null));
      }
      made.push(...names);
      if (emergence !== null) {
        const x = this.x(emergence);
        const flips = x > geometry.markFlip;
        made.push(svg("text", { class: "mark-name", x: percent(flips ? x - geometry.markGap : Math.max(x + geometry.markGap, geometry.markFrom)), y: -87, "text-anchor": flips ? "end" : "start" },
          emergence ? `massive from layer ${emergence - 1}` : "massive from the embedding"));
      }
      return made;
    }

    // A thin line of values between 0 and 1, with a gap where a value isn't defined.
    spark(name, y, values, chance) {
      const drawing = svg("svg", { y, width: "100%", height: 15, viewBox: "0 0 1000 100", preserveAspectRatio: "none", overflow: "visible" });
      for (const [kind, line] of [["chance", chance], ["spark", values]]) {
        if (!line) continue;
        let penDown = false;
        const d = line.map((value, depth) => {
          if (value === null) {
            penDown = false;
            return "";
          }
          const point = `${(10 * this.x(depth)).toFixed(1)} ${(100 * (1 - clamp(value, 0, 1))).toFixed(1)}`;
          const part = penDown ? `L${point}` : `M${point}h.1`;
          penDown = true;
          return part;
        }).join("");
        drawing.append(svg("path", { class: kind, d }));
      }
      return [drawing, svg("text", { class: "spark-name", x: 0, y: y - (name === "purity" ? 4 : 2) }, name)];
    }
  }

  Explore.Ruler = Ruler;
})();
