"use strict";

// A [data-copy] button copies the text of the element that it names, and says so beside it.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const said = button.nextElementSibling;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "Copied.";
    } catch {
      // The browser doesn't let this page write to the clipboard.
      getSelection().selectAllChildren(source);
      said.textContent = "Selected; copy it with Ctrl+C or ⌘C.";
    }
  });
}
