"use strict";
const COPY_BY_HAND = "Selected; copy it with Ctrl+C or ⌘C.";
for (const button of document.querySelectorAll("[data-copy]")) {
const source = document.getElementById(button.dataset.copy);
const message = button.nextElementSibling;
button.addEventListener("click", async () => {
try {
await navigator.clipboard.writeText(source.textContent);
message.textContent = "Copied.";
} catch {
getSelection().selectAllChildren(source);
message.textContent = COPY_BY_HAND;
}
});
}
