// What can be done on this page, found in the page itself: whatever carries data-command (its words), and data-key (its key).
// A select offers its options one by one; links of the main menu and of the views are ways to go. Nothing here knows of tickets.
const shown = (element) => !element.disabled && element.getClientRects().length > 0;
const words = (element) => (element.dataset.command || element.textContent).replace(/\s+/g, " ").trim();

export const withKey = (key) => [...document.querySelectorAll("[data-key]")].find((element) => element.dataset.key === key && reachable(element));

// Folded menus hold commands too: what they hide is there all the same.
function reachable(element) {
  return !element.disabled && !element.closest("[hidden]") && (shown(element) || element.closest("details:not([open])") !== null);
}

export function run(element) {
  if (element.matches("a, button, summary, input[type=radio], input[type=checkbox]")) element.click();
  if (element.matches("input[type=radio]")) {
    const area = element.form.querySelector("textarea");
    if (!area?.hidden) area?.setSelectionRange(area.value.length, area.value.length); // what is there already is gone on with
    area?.focus(); // passed on to its editor, whose caret stays where it was
    (element.form.querySelector("[contenteditable=true]") || area)?.scrollIntoView({ block: "center" });
  }
}

function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
}

function ofSelect(select) {
  const name = words(select);
  return [...select.options]
    .filter((option) => !option.disabled && !option.selected)
    .map((option) => ({ group: name, label: option.textContent.trim(), run: () => choose(select, option.value) }));
}

export function commands(scope = null) {
  if (scope) return ofSelect(scope);
  const all = [];
  for (const element of document.querySelectorAll("[data-command]")) {
    if (!reachable(element)) continue;
    if (element.matches("select")) all.push(...ofSelect(element));
    else all.push({ label: words(element), key: element.dataset.key, run: () => run(element) });
  }
  for (const link of document.querySelectorAll(".rail-list a, .view-list a")) {
    const label = [...link.childNodes].filter((node) => !node.classList?.contains("num")).map((node) => node.textContent);
    const nav = link.closest("nav");
    all.push({ group: nav.dataset.group || nav.getAttribute("aria-label"), label: label.join("").trim(), run: () => link.click() });
  }
  return all;
}

export const listed = () => [...document.querySelectorAll("[data-key]")].filter(reachable).map((element) => [element.dataset.key, words(element)]);
