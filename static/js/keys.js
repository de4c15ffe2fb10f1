// The desk's keys: those of lists, and whatever the page marks with data-key. Listed by "?", where they can be switched off. Silent while one types.
// Nothing here knows of tickets: what can be done is what carries data-command (its words). The palette that finds it by words is fetched when it opens.

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

const words = (element) => (element.dataset.command || element.textContent).replace(/\s+/g, " ").trim();

// Folded menus hold commands too: what they hide is there all the same.
function reachable(element) {
  if (element.disabled || element.closest("[hidden]")) return false;
  return element.getClientRects().length > 0 || element.closest("details:not([open])") !== null;
}

function run(element) {
  if (element.matches("a, button, summary, input[type=radio], input[type=checkbox]")) element.click();
  else element.focus(); // a line to write in
  if (element.matches("summary") && element.parentElement.open) element.parentElement.querySelector("input:not([type=hidden]), select")?.focus();
  if (element.matches("input[type=radio]")) {
    const area = element.form?.querySelector("textarea");
    if (area && !area.hidden) area.setSelectionRange(area.value.length, area.value.length); // what is there already is gone on with
    area?.focus(); // passed on to its editor, whose caret stays where it was
    (element.form?.querySelector("[contenteditable=true]") || area)?.scrollIntoView({ block: "center" });
  }
}

const palette = document.getElementById("palette");
const asked = palette.querySelector("input");
let arriving; // the palette's script, from the first time it is wanted

// Opens at once, so that no letter is lost; what was typed, and an Enter, wait for the script. `scope`: a select whose options alone are offered.
function open(scope = null) {
  asked.value = "";
  asked.placeholder = scope ? scope.dataset.command : asked.dataset.everything;
  asked.setAttribute("aria-label", asked.placeholder);
  palette.showModal();
  arriving ??= import("./palette.js");
  arriving.then((script) => script.show(scope, { reachable, run, words }));
}
asked.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || palette.dataset.ready) return;
  event.preventDefault();
  asked.readOnly = true; // what is typed after it is not part of the question
  arriving.then(() => (asked.readOnly = false) || asked.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" })));
});

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
    ...[...document.querySelectorAll("[data-key]")].filter(reachable).flatMap((element) => {
      const [term, meaning, shape] = ["dt", "dd", "kbd"].map((name) => document.createElement(name));
      shape.textContent = element.dataset.key;
      term.append(shape);
      meaning.textContent = words(element);
      return [term, meaning];
    }),
  );
  const isList = document.querySelector("[data-row]") !== null;
  for (const part of dialog.querySelectorAll("[data-keys-of-list]")) part.hidden = !isList;
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
  const element = [...document.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key && reachable(one));
  return element && (() => (element.matches("select") ? open(element) : run(element)));
}

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (event.target.closest(TYPING) || (!onBox.checked && event.key !== "?")) return;
  const action = ofPage(event.key) || KEYS[event.key]; // x is a list's, and on a ticket's page its macros'
  if (!action) return;
  event.preventDefault();
  action();
});
// Esc takes back what a page asks in place. Where one types it leaves the field, so that the keys are the desk's again.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || document.querySelector("dialog[open], details.menu[open]")) return;
  const field = event.target.closest(TYPING);
  const cancel = document.querySelector("[data-cancel]");
  if (cancel && (!field || cancel.closest("form").contains(field))) cancel.click();
  else field?.blur();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.defaultPrevented) return;
  event.preventDefault();
  if (!document.querySelector("dialog[open]")) open();
});
document.querySelector("[data-palette]")?.addEventListener("click", () => open());
const opener = document.querySelector("[data-keys-open]");
opener.hidden = false;
opener.addEventListener("click", help);

// The list that this tab showed last, as it is now, each ticket once: static/js/walk.js leads along it.
function keepWalk() {
  const rows = [...document.querySelectorAll(".queue-table [data-row] a[data-open]")];
  if (!rows.length) return;
  const title = document.querySelector("h1").firstChild.textContent.trim() || document.title;
  sessionStorage.setItem("walk", JSON.stringify({ title, url: location.href, paths: [...new Set(rows.map((link) => link.pathname))] }));
}
keepWalk();
document.addEventListener("rows", keepWalk); // static/js/queue.js has renewed them

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    button.closest("details")?.removeAttribute("open");
    print();
  });
}

// What completes the line is fetched when somebody turns to it.
const line = document.querySelector("[data-complete]");
line?.addEventListener("focus", () => import(line.dataset.src), { once: true });

// What a page does beyond its links and buttons is fetched when somebody turns to it, or after a while.
for (const part of document.querySelectorAll("[data-module]")) {
  const load = () => import(part.dataset.module);
  for (const turn of ["pointerover", "focusin"]) part.addEventListener(turn, load, { once: true });
  setTimeout(load, 10000);
}
