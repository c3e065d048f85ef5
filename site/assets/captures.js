"use strict";
Tokviz.captures = (() => {
const PARTS = ["model", "context", "projection"];
const { findCapture } = Tokviz;
function all(models) {
return models.flatMap((model) => model.contexts.flatMap((context) => context.projections.map((shown) =>
findCapture(models, namesOf({ model, context, shown })))));
}
const namesOf = ({ model, context, shown }) => ({ model: model.slug, context: context.name, projection: shown.name });
const labelOfStates = ({ model, context }) => `${model.name}, ${context.label}`;
const label = (capture) => `${labelOfStates(capture)}, ${capture.shown.label}`;
const addressPart = (capture) => capture.key.split("/").map(encodeURIComponent).join("/");
function parse(text = "") {
const [model, context, projection] = text.split("/").map(Tokviz.decode);
return { model, context, projection };
}
function has(models, text) {
const names = parse(text);
return findCapture(models, names).key === [names.model, names.context, names.projection].join("/");
}
class Choice {
constructor(root, models, changed) {
this.models = models;
this.selects = Object.fromEntries(PARTS.map((part) => [part, root.querySelector(`[data-part=${part}]`)]));
for (const part of PARTS) {
this.selects[part].addEventListener("change", () => changed({ ...namesOf(this.capture), [part]: this.selects[part].value }));
}
}
names() {
return Object.fromEntries(PARTS.map((part) => [part, this.selects[part].value]));
}
show(capture, always = []) {
this.capture = capture;
const { model, context } = capture;
const options = {
model: this.models.map(({ slug, name }) => [slug, name]),
context: model.contexts.map(({ name, label: text }) => [name, text]),
projection: context.projections.map(({ name, label: text }) => [name, text]),
};
const names = namesOf(capture);
for (const part of PARTS) {
this.selects[part].replaceChildren(...options[part].map(([value, text]) => new Option(text, value)));
this.selects[part].value = names[part];
this.selects[part].parentElement.hidden = options[part].length === 1 && !always.includes(part);
}
}
focus() {
this.selects.model.focus();
}
}
return { all, namesOf, label, labelOfStates, addressPart, parse, has, Choice };
})();
