"use strict";
(() => {
const root = document.querySelector("[data-change]");
if (!root) return;
const { clamp, depthName, depthKey, parseDepth, tell } = Tokviz;
const data = JSON.parse(root.querySelector("[data-change-data]").textContent);
const content = JSON.parse(root.querySelector("[data-plates]")?.textContent ?? "null");
const plates = [...root.querySelectorAll(".slot .plate")];
const caption = root.querySelector("[data-caption]");
const play = root.querySelector("[data-play]");
const steps = [...root.querySelectorAll("[data-step]")];
const [first] = root.querySelectorAll(".change-of");
const state = { context: first.dataset.context, depth: data.contexts[first.dataset.context].depth, mark: "changed" };
const initial = { ...state };
const fragment = () => `#${[state.context, depthKey(state.depth), ...(state.mark === "all" ? ["all"] : [])].map(encodeURIComponent).join("/")}${Tokviz.plotScale.address}`;
const address = new Tokviz.AddressWriter(fragment);
const player = Tokviz.player(play, { at: () => state.depth, last: () => data.contexts[state.context].last, go: (depth) => go({ depth }) });
function show() {
const found = data.contexts[state.context];
for (const each of document.querySelectorAll(".change-of")) each.toggleAttribute("data-current", each.dataset.context === state.context);
for (const range of root.querySelectorAll(".change-of[data-current] input")) {
range.value = state.depth;
range.setAttribute("aria-valuetext", depthName(state.depth));
}
for (const [name, value] of [["context", state.context], ["mark", state.mark]]) {
for (const input of root.querySelectorAll(`input[name="${name}"]`)) input.checked = input.value === value;
}
if (!content) return;
root.querySelector("[data-marking]").toggleAttribute("hidden", !found.strong.some((rows) => rows.length));
steps[0].setAttribute("aria-disabled", String(state.depth === 0));
steps[1].setAttribute("aria-disabled", String(state.depth === found.last));
const problem = found.problems[state.depth];
caption.textContent = problem ?? `${found.captions[state.depth]}${state.mark === "all" ? "" : found.marked[state.depth]}`;
root.querySelector(".slots").toggleAttribute("hidden", Boolean(problem));
if (problem) return;
plates.forEach((plate, side) => {
const capture = Tokviz.findCapture(content.models, { model: data.slugs[side], context: state.context, projection: "common" });
plate.querySelector("img").alt = `${capture.model.name}, ${capture.context.label}, ${depthName(state.depth)}`;
const marked = state.mark === "all" ? {} : { strong: found.strong };
tell(plate, "slot", { capture: { ...capture, extents: found.extents, ...marked }, depth: state.depth });
});
}
function go(changes) {
Object.assign(state, changes);
state.depth = clamp(state.depth, 0, data.contexts[state.context].last);
show();
address.request();
}
function open() {
address.cancel();
if (!location.hash) Object.assign(state, initial);
const [context, depth, mark] = location.hash.slice(1).split("&")[0].split("/").map(Tokviz.decode);
const known = parseDepth(depth);
if (Object.hasOwn(data.contexts, context) && known !== null) {
const { last } = data.contexts[context];
if (known > last) address.request();
Object.assign(state, { context, depth: clamp(known, 0, last), mark: mark === "all" ? "all" : "changed" });
}
show();
}
for (const range of root.querySelectorAll(".change-ruler input")) {
Tokviz.listenToSlider(range, (depth) => {
player.stop();
go({ depth });
});
}
root.addEventListener("change", ({ target }) => {
if (target.name === "side") root.querySelector(".slots").dataset.side = target.value;
if (target.name === "context") go({ context: target.value, depth: data.contexts[target.value].depth });
if (target.name === "mark") go({ mark: target.value });
});
for (const each of steps) {
each.addEventListener("click", () => {
player.stop();
go({ depth: state.depth + Number(each.dataset.step) });
});
}
root.addEventListener("address", ({ detail }) => {
detail.fragment = fragment();
});
Tokviz.listenToKeys(root, () => state.depth, (depth) => {
player.stop();
go({ depth });
});
if (content) root.querySelector(".slots").dataset.side = root.querySelector('input[name="side"]:checked').value;
addEventListener("hashchange", () => {
player.stop();
open();
});
document.addEventListener("scale", () => address.request());
open();
})();
