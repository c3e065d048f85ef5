"use strict";
(() => {
function comparing(keyOf, { isNumber, descending }) {
return (one, other) => {
const [a, b] = [keyOf(one), keyOf(other)];
if (a === "" || b === "") return (a === "") - (b === "");
const order = isNumber ? Number(a) - Number(b) : a.localeCompare(b);
return descending ? -order : order;
};
}
function sortRows(table, heading, order) {
const compare = comparing((row) => row.cells[heading.cellIndex].dataset.sort, order);
for (const body of table.tBodies) body.append(...[...body.rows].filter((row) => row.cells.length > 1).sort(compare));
}
function sortColumns(table, heading, order) {
const keys = [...heading.parentElement.cells].map((cell) => cell.dataset.sort);
const columns = [...keys.keys()].slice(1).sort(comparing((column) => keys[column], order));
for (const row of table.rows) {
const cells = [...row.cells];
row.append(...columns.map((column) => cells[column]));
}
}
function startTable(table) {
const headings = [...table.querySelectorAll("[data-sort-by]")];
const byRow = table.dataset.sortable === "columns";
function sortBy(heading, descending) {
const order = { descending, isNumber: byRow || heading.classList.contains("number") };
(byRow ? sortColumns : sortRows)(table, heading, order);
for (const each of headings) {
each.removeAttribute("aria-sort");
if (each === heading) each.setAttribute("aria-sort", descending ? "descending" : "ascending");
}
}
for (const heading of headings) {
const button = Tokviz.make("button", { type: "button" }, heading.querySelector(".sort-label"));
heading.prepend(button);
button.addEventListener("click", () => {
const sorted = heading.getAttribute("aria-sort");
sortBy(heading, sorted ? sorted === "ascending" : byRow || heading.classList.contains("number"));
});
}
const written = headings.find(({ dataset }) => dataset.sortBy);
written?.setAttribute("aria-sort", written.dataset.sortBy);
}
function startFilter(label) {
const field = label.querySelector("input");
const rows = [...label.nextElementSibling.querySelectorAll("tbody tr")];
field.addEventListener("input", () => {
const typed = field.value.trim().toLowerCase();
for (const row of rows) row.hidden = !row.cells[0].textContent.toLowerCase().includes(typed);
});
}
for (const label of document.querySelectorAll("[data-filter]")) startFilter(label);
for (const table of document.querySelectorAll("table[data-sortable]")) startTable(table);
})();
