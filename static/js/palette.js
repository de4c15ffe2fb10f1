// Ctrl+K: every command of the page by its words; the combobox of the ARIA Authoring Practices. The last line always searches the tickets.
import { commands } from "./commands.js";

const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const MOST = 12; // lines
let all = [];
let found = [];
let active = 0;

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function open(scope = null) {
  all = commands(scope);
  input.value = "";
  input.placeholder = scope ? scope.dataset.command : input.dataset.everything;
  input.setAttribute("aria-label", input.placeholder);
  dialog.dataset.scoped = scope ? "1" : "";
  dialog.showModal();
  show();
}

function show() {
  const asked = plain(input.value).split(/\s+/).filter(Boolean);
  found = all.filter((one) => asked.every((word) => plain(`${one.group || ""} ${one.label}`).includes(word)));
  // what begins with the words comes first
  if (asked.length) found.sort((a, b) => plain(b.label).startsWith(asked[0]) - plain(a.label).startsWith(asked[0]));
  found = found.slice(0, MOST);
  const search = document.querySelector("[data-search]");
  if (asked.length && !dialog.dataset.scoped) {
    const label = list.dataset.search.replace("#", input.value.trim());
    found.push({ label, run: () => ((search.value = input.value.trim()), search.form.requestSubmit()) });
  }
  list.replaceChildren(...(found.length ? found.map(line) : [nothing()]));
  mark(0);
}

function line(one, at) {
  const option = document.createElement("li");
  option.id = `command-${at}`;
  option.setAttribute("role", "option");
  const label = document.createElement("span");
  label.className = "clip";
  label.textContent = one.group ? `${one.group}: ${one.label}` : one.label;
  option.append(label);
  if (one.key) {
    const key = document.createElement("kbd");
    key.textContent = one.key;
    option.append(key);
  }
  return option;
}

function nothing() {
  const option = document.createElement("li");
  option.className = "small muted";
  option.setAttribute("role", "option");
  option.setAttribute("aria-disabled", "true");
  option.textContent = list.dataset.none;
  return option;
}

function mark(at) {
  active = at;
  [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at && found.length > 0)));
  if (found.length) input.setAttribute("aria-activedescendant", `command-${at}`);
  else input.removeAttribute("aria-activedescendant");
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function take(at) {
  const one = found[at];
  if (!one) return;
  dialog.close();
  one.run();
}

input.addEventListener("input", show);
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && found.length) mark((active + 1) % found.length);
  else if (event.key === "ArrowUp" && found.length) mark((active - 1 + found.length) % found.length);
  else if (event.key === "Enter") take(active);
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => take([...list.children].indexOf(event.target.closest("[role=option]"))));
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.defaultPrevented) return;
  event.preventDefault();
  if (!document.querySelector("dialog[open]")) open();
});
document.querySelector("[data-palette]")?.addEventListener("click", () => open());
