// Finds a macro, shows what it will do to this ticket, and does it. Without scripts the button leads to a page of them.
import { finder } from "./finder.js";

const link = document.querySelector("[data-macros]");
const form = document.getElementById("macro-run");
const composer = document.querySelector("form[data-draft-url]");

// What is being written is kept first: the page comes anew.
function run({ dataset: { action } }) {
  form.action = action;
  composer.dispatchEvent(new CustomEvent("draft:flush", { detail: { done: () => form.submit() } }));
}

const open = finder(document.getElementById("macro-finder"), { address: link.dataset.macros, choose: run });
link.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
