"use strict";

const COPY_BY_HAND = "Selected; copy it with Ctrl+C or ⌘C.";

// A [data-copy] button copies the text of the element that it names; a message beside it confirms that.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const message = button.nextElementSibling;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      message.textContent = "Copied.";
    } catch {
      // The browser doesn't let this page write to the clipboard.
      getSelection().selectAllChildren(source);
      message.textContent = COPY_BY_HAND;
    }
  });
}
