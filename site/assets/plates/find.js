"use strict";
Tokviz.listenToFind = (board, input) => {
const isTyping = () => document.activeElement === input;
function fill() {
const { vocabulary, categories } = board.index;
if (!vocabulary || input.list.options.length) return;
input.list.append(...vocabulary.words.map((word, row) => new Option(vocabulary.categoriesOf(row, categories), word)));
}
function show(row) {
input.setAttribute("aria-invalid", String(row === null && input.value.trim() !== ""));
}
input.addEventListener("focus", fill);
input.addEventListener("input", () => {
fill();
const [row = null] = board.index.vocabulary?.find(input.value, 1) ?? [];
show(row);
if (row !== board.chosen) board.choose(row);
});
input.addEventListener("keydown", ({ key }) => {
if (key === "Escape") input.value = "";
});
document.addEventListener("chosen", ({ detail: row }) => {
if (isTyping()) return;
input.value = row === null ? "" : board.index.vocabulary.words[row];
show(row);
});
};
