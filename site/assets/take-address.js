"use strict";

// Shows an address, selected, where the browser doesn't let the page copy it.
Tokviz.showAddress = (() => {
  const { make } = Tokviz.take;
  const heading = make("h2", { id: "link-to-copy" }, "Link to this plot");
  const field = make("input", { readonly: "", "aria-labelledby": "link-to-copy" });
  const close = make("button", { type: "button" }, "Close");
  const dialog = make("dialog", { class: "shortcuts", "aria-labelledby": "link-to-copy" },
    heading, make("p", {}, field), make("p", {}, COPY_BY_HAND), close);
  close.addEventListener("click", () => dialog.close());
  document.body.append(dialog);

  return (address) => {
    field.value = address;
    dialog.showModal();
    field.select();
  };
})();
