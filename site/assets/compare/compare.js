"use strict";
(() => {
const { captures, clamp, depthName, percent } = Tokviz;
const LETTERS = ["a", "b", "c", "d"];
const RELATIVE_TICKS = 20;
const MOST_FETCHED = 64;
const fetched = new Map();
function createComparison(root) {
const data = JSON.parse(root.querySelector("[data-captures]").textContent);
const comparison = {
root,
models: data.models,
openingShare: data.opening,
endName: data.end,
tested: data.tested,
untested: root.querySelector("[data-untested]"),
container: root.querySelector(".slots"),
ruler: root.querySelector(".compare-ruler"),
range: root.querySelector("input[type=range]"),
output: root.querySelector("output"),
scale: root.querySelector(".compare-scale"),
radios: [...root.querySelectorAll("input[type=radio]")],
stepButtons: [...root.querySelectorAll("[data-step]")],
addButton: root.querySelector("[data-add]"),
phone: matchMedia("(max-width: 40rem)"),
slotPrototype: prototypeOf(root.querySelector("[data-slot]")),
stripPrototype: prototypeOf(root.querySelector("[data-strip]")),
fewestSlots: Math.min(2, root.querySelectorAll("[data-slot]").length),
slots: [],
mode: "relative",
depth: 0,
last: 1,
};
comparison.related = Tokviz.RelatedChoice?.of(root, () => showChoice(comparison));
comparison.address = new Tokviz.AddressWriter(() => fragmentOf(comparison));
comparison.preload = Tokviz.afterLoad(() => preloadNeighbours(comparison));
return comparison;
}
function prototypeOf(element) {
const template = document.createElement("template");
template.innerHTML = element.outerHTML;
const copy = template.content.firstElementChild;
for (const image of copy.querySelectorAll("img")) image.removeAttribute("src");
for (const source of copy.querySelectorAll("source")) source.removeAttribute("srcset");
return copy;
}
function createSlot(comparison, element, strip) {
const slot = {
element,
strip,
removeButton: element.querySelector("[data-remove]"),
depthLabel: element.querySelector(".slot-depth"),
plate: element.querySelector(".plate"),
problem: element.querySelector(".problem"),
caption: element.querySelector("[data-caption]"),
};
slot.choice = new captures.Choice(element, comparison.models, (names) => {
fillSlot(comparison, slot, names);
showChoice(comparison);
});
slot.removeButton.addEventListener("click", () => {
const index = comparison.slots.indexOf(slot);
removeSlot(comparison, slot);
showChoice(comparison);
comparison.slots[Math.min(index, comparison.slots.length - 1)].choice.focus();
});
return slot;
}
function appendSlot(comparison) {
const element = document.importNode(comparison.slotPrototype, true);
const strip = document.importNode(comparison.stripPrototype, true);
comparison.container.append(element);
comparison.scale.before(strip);
const slot = createSlot(comparison, element, strip);
comparison.slots.push(slot);
return slot;
}
function removeSlot(comparison, slot) {
comparison.slots = comparison.slots.filter((other) => other !== slot);
slot.element.remove();
slot.strip.remove();
}
function fillSlot(comparison, slot, names) {
slot.capture = Tokviz.findCapture(comparison.models, names);
slot.choice.show(slot.capture);
slot.name = captures.label(slot.capture);
slot.strip.querySelector("p").textContent = slot.name;
requestPictures(comparison, slot.capture);
showStrip(slot);
}
function showStrip({ name, strip, capture: { context, shown } }) {
if (context.script) return;
const box = strip.querySelector(".plate");
box.hidden = !shown.strip;
if (shown.strip) {
Tokviz.setStrip(box, shown.strip, `${name}: all ${context.last + 1} depths, without labels`);
}
}
function requestPictures(comparison, { model, context: { script } }) {
if (script) model.request ??= loadPictures(comparison, model, script);
}
async function loadPictures(comparison, model, script) {
delete model.failure;
try {
const { pictures } = await Tokviz.load(`${model.slug} compared`, script);
model.contexts.forEach((context, index) => {
context.projections.forEach((shown, projection) => Object.assign(shown, pictures[index][projection]));
delete context.script;
});
} catch (error) {
model.failure = error.message;
delete model.request;
}
comparison.slots.forEach((slot, index) => {
if (slot.capture.model !== model) return;
showStrip(slot);
showSlot(comparison, slot, index);
});
comparison.preload();
}
function unusedCapture({ models, slots }) {
const all = captures.all(models);
const used = slots.map(({ capture }) => capture);
return all.find(({ model }) => !used.some((other) => other.model === model))
?? all.find(({ key }) => !used.some((other) => other.key === key)) ?? all[0];
}
function addCapture(comparison) {
const unused = unusedCapture(comparison);
const slot = appendSlot(comparison);
fillSlot(comparison, slot, captures.namesOf(unused));
showChoice(comparison);
slot.choice.focus();
}
function plateOf({ shown }, depth, form) {
const { before, between, after, size } = shown[form] ?? { between: [] };
return (between[depth] ?? null) === null ? null : { src: before + between[depth] + after, size };
}
function depthOf({ mode, last }, slot, depth) {
const own = slot.capture.context.last;
return mode === "layer" ? Math.min(depth, own) : Math.round(Tokviz.shareOf(depth, last) * own);
}
function showSlot(comparison, slot, index) {
const { model, context, shown } = slot.capture;
const depth = depthOf(comparison, slot, comparison.depth);
const waits = comparison.mode === "layer" && comparison.depth > context.last;
const shownName = comparison.related?.isChosen ? captures.labelOfStates(slot.capture) : slot.name;
slot.element.setAttribute("aria-label", `Plot ${index + 1}: ${shownName}`);
slot.depthLabel.textContent = waits ? `${depthName(depth)} (last)` : depthName(depth);
slot.removeButton.hidden = comparison.slots.length <= comparison.fewestSlots;
const isLoading = Boolean(context.script) && !model.failure;
for (const each of [slot.element, slot.strip]) each.setAttribute("aria-busy", String(isLoading));
if (isLoading) return;
const hasPlate = plateOf(slot.capture, depth, "wide") !== null;
slot.plate.hidden = !hasPlate;
slot.problem.hidden = hasPlate;
slot.problem.textContent = model.failure ?? shown.problems[depth] ?? "There is no plot of this depth.";
slot.caption.textContent = hasPlate ? shown.captions[depth] : "";
if (hasPlate) {
const alt = `${slot.name}, ${depthName(depth)}: ${shown.captions[depth]}`;
Tokviz.setPicture(slot.plate, (form) => plateOf(slot.capture, depth, form), alt);
}
Tokviz.tell(slot.plate, "slot", { capture: slot.capture, depth });
}
function refresh(comparison, share = Tokviz.shareOf(comparison.depth, comparison.last)) {
const { slots, mode } = comparison;
const last = Math.max(...slots.map(({ capture }) => capture.context.last));
comparison.last = last;
comparison.range.max = last;
comparison.container.dataset.slots = slots.length;
if (comparison.addButton) comparison.addButton.disabled = slots.length === LETTERS.length;
drawScale(comparison);
showTested(comparison);
for (const slot of slots) fitStrip(slot, mode === "layer" && last ? slot.capture.context.last / last : 1);
setDepth(comparison, mode === "layer" ? comparison.depth : Math.round(share * last));
}
function fitStrip({ strip }, part) {
const box = strip.querySelector(".plate");
box.style.width = percent(100 * part);
box.style.marginLeft = percent(Tokviz.geometry.axisStart * (1 - part));
}
function showTested({ tested, untested, slots }) {
const shown = slots.map(({ capture: { model: { slug }, context } }) => ({ slug, pairs: tested?.[context.name] ?? [], context }));
const pairs = shown.flatMap((one, at) => shown.slice(at + 1).filter(({ slug }) => slug !== one.slug).map((other) => [one, other]));
const isTested = ([one, other]) => one.context.name === other.context.name
&& one.pairs.some((slugs) => slugs.includes(one.slug) && slugs.includes(other.slug));
untested.hidden = !tested || pairs.every(isTested);
if (!untested.hidden) untested.textContent = pairs.length > 1 ? "Not every pair of these was tested." : "This pair wasn’t tested.";
}
function showChoice(comparison) {
refresh(comparison);
comparison.address.request();
}
function setDepth(comparison, wanted) {
const { slots, range, output, mode, last } = comparison;
const depth = clamp(wanted, 0, last);
comparison.depth = depth;
range.value = depth;
slots.forEach((slot, index) => showSlot(comparison, slot, index));
comparison.related?.show(slots.map((slot) => ({
host: slot.element.querySelector("figure"), source: relatedSource(slot.capture), context: slot.capture.context.name,
isMeasured: slot.capture.context.related === true, depth: depthOf(comparison, slot, depth),
})));
const text = mode === "layer" ? depthName(depth) : `${Math.round(100 * Tokviz.shareOf(depth, last))}\u00a0%`;
const each = slots.map(({ capture, depthLabel }) => `${capture.model.name}: ${depthLabel.textContent}`);
range.setAttribute("aria-valuetext", `${text}. ${each.join("; ")}`);
output.textContent = text;
Tokviz.placeLabel(output, depth, last);
Tokviz.markSteps(comparison.stepButtons, depth, last);
comparison.preload();
}
const relatedSource = ({ model: { slug, data } }) => ({ slug, folder: data });
function setMode(comparison, mode) {
comparison.mode = mode;
for (const radio of comparison.radios) radio.checked = radio.value === mode;
}
function fetchAhead(src) {
if (fetched.has(src)) return;
const image = new Image();
image.src = src;
fetched.set(src, image);
if (fetched.size > MOST_FETCHED) fetched.delete(fetched.keys().next().value);
}
function preloadNeighbours(comparison) {
const { root, slots, depth, last, phone } = comparison;
if (root.hasAttribute("data-drawable")) return;
for (const slot of slots) {
for (const neighbour of [depth + 1, depth - 1]) {
if (neighbour < 0 || neighbour > last) continue;
const plate = plateOf(slot.capture, depthOf(comparison, slot, neighbour), phone.matches ? "phone" : "wide");
if (plate) fetchAhead(plate.src);
}
}
}
function drawScale({ scale, mode, last, endName }) {
const ticks = mode === "layer" || last === 0 ? Tokviz.depthTicks(last) : relativeTicks(last, endName);
scale.replaceChildren(Tokviz.rulerFoot(...Tokviz.axis(ticks, last)));
}
function relativeTicks(last, endName) {
return Array.from({ length: RELATIVE_TICKS + 1 }, (_, tick) => {
const depth = (last * tick) / RELATIVE_TICKS;
if (tick === 0) return { depth, label: "embedding" };
if (tick === RELATIVE_TICKS) return { depth, label: endName };
return { depth, label: tick % (RELATIVE_TICKS / 4) ? null : `${(100 * tick) / RELATIVE_TICKS}\u00a0%` };
});
}
function fragmentOf({ slots, mode, depth, last, related }) {
const chosen = slots.map(({ capture }, index) => `${LETTERS[index]}=${captures.addressPart(capture)}`);
const at = mode === "layer" ? Tokviz.depthKey(depth) : Number(Tokviz.shareOf(depth, last).toFixed(4));
return `#${[...chosen, `by=${mode}`, `at=${at}`].join("&")}${related?.address ?? ""}${Tokviz.plotScale.address}`;
}
function wantedNames({ models, slots }, wanted) {
const found = LETTERS.map((letter) => captures.parse(wanted.get(letter)))
.filter(({ model }) => models.some(({ slug }) => slug === model));
if (found.length || !["by", "related"].some((name) => wanted.has(name))) return found;
return slots.map(({ capture }) => captures.namesOf(capture));
}
function openAddress(comparison) {
comparison.address.cancel();
Tokviz.plotScale.open(location.hash);
const wanted = Tokviz.parseAddress();
const chosen = wantedNames(comparison, wanted);
if (!chosen.length) return false;
const all = captures.all(comparison.models);
while (chosen.length < comparison.fewestSlots) {
const first = Tokviz.findCapture(comparison.models, chosen[0]);
chosen.push(captures.namesOf(all.find(({ model }) => model !== first.model) ?? all.find(({ key }) => key !== first.key)));
}
while (comparison.slots.length > chosen.length) removeSlot(comparison, comparison.slots.at(-1));
while (comparison.slots.length < chosen.length) appendSlot(comparison);
chosen.forEach((names, index) => fillSlot(comparison, comparison.slots[index], names));
setMode(comparison, wanted.get("by") === "layer" ? "layer" : "relative");
comparison.related?.open(wanted.get("related"));
comparison.depth = Tokviz.parseDepth(wanted.get("at")) ?? 0;
const share = Number.parseFloat(wanted.get("at"));
refresh(comparison, clamp(Number.isFinite(share) ? share : comparison.openingShare, 0, 1));
return true;
}
function openDefault(comparison) {
for (const slot of comparison.slots) fillSlot(comparison, slot, captures.namesOf(slot.capture));
setMode(comparison, comparison.mode); // some browsers remember what was chosen before a reload
refresh(comparison, comparison.openingShare);
}
function listen(comparison) {
const { root, range, stepButtons, radios, addButton } = comparison;
const go = (wanted) => {
setDepth(comparison, wanted);
comparison.address.request();
};
Tokviz.listenToSlider(range, go);
for (const button of stepButtons) {
button.addEventListener("click", () => go(comparison.depth + Number(button.dataset.step)));
}
for (const radio of radios) {
radio.addEventListener("change", () => {
setMode(comparison, radio.value);
showChoice(comparison);
});
}
addButton?.addEventListener("click", () => addCapture(comparison));
Tokviz.listenToKeys(root, () => comparison.depth, go);
root.addEventListener("address", ({ detail }) => {
detail.fragment = fragmentOf(comparison);
});
window.addEventListener("hashchange", () => openAddress(comparison));
document.addEventListener("click", ({ target }) => {
if (target.closest?.("a[href^='#a=']")) root.scrollIntoView({ behavior: "instant" });
});
document.addEventListener("scale-chosen", () => comparison.address.request());
}
function startCompare(root) {
const comparison = createComparison(root);
const strips = [...comparison.ruler.querySelectorAll("[data-strip]")];
comparison.slots = [...comparison.container.querySelectorAll("[data-slot]")].map((element, index) =>
createSlot(comparison, element, strips[index]));
for (const slot of comparison.slots) slot.capture = Tokviz.findCapture(comparison.models, slot.choice.names());
listen(comparison);
if (!openAddress(comparison)) openDefault(comparison);
Promise.all(comparison.slots.map(({ capture }) => capture.model.request)).then(() => {
delete document.documentElement.dataset.opening;
});
}
for (const root of document.querySelectorAll("[data-compare]")) startCompare(root);
})();
