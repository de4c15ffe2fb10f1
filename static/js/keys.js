// The desk's keys: those of lists, and whatever the page marks with data-key. Listed by "?", where they can be switched off. Silent while one types.
import { listed, run, withKey } from "./commands.js";
import { open } from "./palette.js";

const dialog = document.getElementById("keys");
const onBox = dialog.querySelector("[data-keys-on]");
onBox.checked = localStorage.getItem("keys") !== "off";
onBox.addEventListener("change", () => {
  localStorage.setItem("keys", onBox.checked ? "on" : "off");
  hint();
});

// The keys stand beside what they do, where somebody has them.
function hint() {
  document.documentElement.toggleAttribute("data-keys", onBox.checked);
}
hint();

function step(by) {
  const links = [...document.querySelectorAll("[data-row] a[data-open]")];
  if (!links.length) return document.querySelector(by > 0 ? "a[rel=next]:not([hidden])" : "a[rel=prev]:not([hidden])")?.click();
  const here = document.activeElement.closest("[data-row]")?.querySelector("a[data-open]");
  const at = links.indexOf(here);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
  if (!next) return;
  next.focus({ focusVisible: true });
  next.closest("[data-row]").scrollIntoView({ block: "nearest" });
}

function help() {
  const own = dialog.querySelector("[data-keys-own]");
  own.replaceChildren(
    ...listed().flatMap(([key, words]) => {
      const [term, meaning, shape] = ["dt", "dd", "kbd"].map((name) => document.createElement(name));
      shape.textContent = key;
      term.append(shape);
      meaning.textContent = words;
      return [term, meaning];
    }),
  );
  dialog.showModal();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => document.activeElement.closest("[data-row]")?.querySelector("a[data-open]").click(),
  x: () => document.activeElement.closest("[data-row]")?.querySelector("input[name=ticket]")?.click(),
  "/": () => document.querySelector("[data-search]").focus(),
  "?": help,
};

function ofPage(key) {
  const element = withKey(key);
  return element && (() => (element.matches("select") ? open(element) : run(element)));
}

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.target.closest(TYPING) || (!onBox.checked && event.key !== "?")) return;
  const action = KEYS[event.key] || ofPage(event.key);
  if (!action) return;
  event.preventDefault();
  action();
});
document.querySelector("[data-keys-list]")?.addEventListener("click", help);

// What completes the line is fetched when somebody turns to it.
const line = document.querySelector("[data-complete]");
line?.addEventListener("focus", () => import(line.dataset.src), { once: true });

// What a page does beyond its links and buttons is fetched when somebody turns to it, or after a while.
for (const part of document.querySelectorAll("[data-module]")) {
  const load = () => import(part.dataset.module);
  for (const turn of ["pointerover", "focusin"]) part.addEventListener(turn, load, { once: true });
  setTimeout(load, 10000);
}
