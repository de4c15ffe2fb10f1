// Ctrl+K: every command of the page by its words; the combobox of the ARIA Authoring Practices. The last line always searches the tickets.
// A select offers its options one by one; links of the main menu, of the views and of tabs are ways to go. data-also: further words for it. Fetched and shown by static/js/keys.js.
const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const MOST = 12; // lines
let all = [];
let found = [];
let active = 0;

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  if (select.dataset.goesOn !== undefined) select.form.requestSubmit(); // the next page says first what would be done
}

function ofSelect(select, { words }) {
  const name = words(select);
  return [...select.options]
    .filter((option) => !option.disabled && !option.selected)
    .map((option) => ({ group: name, label: option.textContent.trim(), run: () => choose(select, option.value) }));
}

function commands({ reachable, run, words }) {
  const found = [];
  const always = []; // of the account's menu, after all that is the page's own
  for (const element of document.querySelectorAll("[data-command]:not(.editor-bar *)")) {
    // the editor's buttons name commands of its own
    if (!reachable(element)) continue;
    const { group, also, key } = element.dataset;
    const list = element.closest(".account") ? always : found;
    if (element.matches("select")) list.push(...ofSelect(element, { words }));
    else if (element.getAttribute("aria-pressed") !== "true") list.push({ group, also, key, label: words(element), run: () => run(element) });
  }
  for (const link of document.querySelectorAll(".rail-list a, .view-list a, .tabs a")) {
    const label = [...link.childNodes].filter((node) => !node.classList?.contains("num")).map((node) => node.textContent);
    const nav = link.closest("nav");
    found.push({ group: nav.dataset.group || nav.getAttribute("aria-label"), also: link.dataset.also, label: label.join("").trim(), run: () => link.click() });
  }
  return [...found, ...always];
}

export function show(scope, keys) {
  all = scope ? ofSelect(scope, keys) : commands(keys);
  dialog.dataset.scoped = scope ? "1" : "";
  dialog.dataset.ready = "1";
  refresh();
}

function refresh() {
  const asked = plain(input.value).split(/\s+/).filter(Boolean);
  found = all.filter((one) => asked.every((word) => plain(`${one.group || ""} ${one.label} ${one.also || ""}`).includes(word)));
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
  input.blur(); // else the next key, if it comes at once, is taken for writing
  dialog.close();
  one.run();
}

input.addEventListener("input", refresh);
input.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" && found.length) mark((active + 1) % found.length);
  else if (event.key === "ArrowUp" && found.length) mark((active - 1 + found.length) % found.length);
  else if (event.key === "Enter") take(active);
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => take([...list.children].indexOf(event.target.closest("[role=option]"))));
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
