"use strict";

// A [data-copy] button copies the text of the element that it names; a message beside it confirms that.
for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  const message = button.nextElementSibling;
  button.addEventListener("click", async () => {
    const isCopied = await Tokviz.copied(source.textContent);
    if (!isCopied) getSelection().selectAllChildren(source);
    message.textContent = isCopied ? Tokviz.COPIED : Tokviz.SELECTED;
  });
}
