"use strict";
(() => {
const KEY = "tokviz-theme";
const root = document.documentElement;
function stored() {
try {
return localStorage.getItem(KEY) ?? "";
} catch {
return "";
}
}
function apply(theme) {
if (theme === "light" || theme === "dark") root.dataset.theme = theme;
else delete root.dataset.theme;
document.dispatchEvent(new Event("themechange"));
}
apply(stored());
root.dataset.parsing = "";
document.addEventListener("readystatechange", () => delete root.dataset.parsing, { once: true });
document.addEventListener("DOMContentLoaded", () => {
const choice = document.querySelector("[data-theme-choice]");
if (!choice) return;
choice.value = root.dataset.theme ?? "";
choice.addEventListener("change", () => {
apply(choice.value);
try {
localStorage.setItem(KEY, choice.value);
} catch {
}
});
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));
})();
