"use strict";

// Every table[data-sortable] is sorted by the headings that have a column to sort by.
(() => {
  function startTable(table) {
    const headings = [...table.querySelectorAll("th[data-column]")];

    function sortBy(heading, descending) {
      const column = Number(heading.dataset.column);
      const numbers = heading.classList.contains("number");
      const key = (row) => row.cells[column].dataset.sort;
      const compare = (one, other) => {
        const [a, b] = [key(one), key(other)];
        if (a === "" || b === "") return (a === "") - (b === "");
        const order = numbers ? Number(a) - Number(b) : a.localeCompare(b);
        return descending ? -order : order;
      };
      // A row of one cell is the heading of its part of the table.
      for (const body of table.tBodies) body.append(...[...body.rows].filter((row) => row.cells.length > 1).sort(compare));
      for (const each of headings) {
        each.removeAttribute("aria-sort");
        if (each === heading) each.setAttribute("aria-sort", descending ? "descending" : "ascending");
      }
    }

    for (const heading of headings) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(heading.querySelector(".sort-label"));
      heading.prepend(button);
      button.addEventListener("click", () => {
        const sorted = heading.getAttribute("aria-sort");
        sortBy(heading, sorted ? sorted === "ascending" : heading.classList.contains("number"));
      });
    }
    if (headings[1]) headings[1].setAttribute("aria-sort", "descending");
  }

  for (const table of document.querySelectorAll("table[data-sortable]")) startTable(table);
})();
