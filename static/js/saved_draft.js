// Keeps what is written in the desk's composer on the server, a moment after each pause; drafts.js keeps in this browser what has not arrived there.
// "draft:saved" on the form tells that it has. "draft:flush" asks for it at once; its detail.done is called when it is there, or could not be.
const form = document.querySelector("form[data-draft-url]");
const state = form.querySelector("[data-draft-state]");
const PAUSE = 1200;
const NAMES = ["text", "html", "uploads", "status"];
// A reply and an internal note are two drafts, each with words of its own: what stands in the form is that of the kind that is `shown`.
const other = form.querySelector("[data-other-draft]");
let shown = form.elements.kind.value;
const kept = { reply: { values: {}, version: "" }, note: { values: {}, version: "" } };
kept[shown] = { values: held(), version: form.elements.draft.value };
if (other) {
  const values = Object.fromEntries(NAMES.map((name) => [name, other.content.querySelector(`[name=${name}]`).value]));
  kept[shown === "note" ? "reply" : "note"] = { values, version: other.dataset.otherDraft };
}
for (const one of Object.values(kept)) one.saved = JSON.stringify(one.values);
const discard = form.querySelector("[data-draft-discard]");
const first = shown; // of which that button speaks
let timer;
let isOver = false; // sent, or written on elsewhere: what stands here is no draft of this page any more
let waiting = [];

function held() {
  return Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value]));
}
const valuesOf = (kind) => (kind === shown ? held() : kept[kind].values);
const isEmpty = (values) => ["text", "html", "uploads"].every((name) => !values[name]?.trim());

function bodyOf(kind, values) {
  const body = new FormData(form);
  body.delete("files");
  if (kind !== shown) body.delete("is_plain"); // what was put away is as the editor made it
  for (const name of NAMES) if (kind !== shown) body.set(name, values[name]);
  body.set("kind", kind);
  body.set("draft", kept[kind].version);
  body.set("quietly", "1");
  return body;
}

async function save({ kind = shown, keepalive = false } = {}) {
  clearTimeout(timer);
  const draft = kept[kind];
  if (isOver || draft.isSaving) return;
  const values = valuesOf(kind);
  const now = JSON.stringify(values);
  if (now === draft.saved || (isEmpty(values) && !draft.version)) return finish();
  draft.isSaving = true;
  state.textContent = state.dataset.saving;
  const response = await fetch(form.dataset.draftUrl, { method: "POST", body: bodyOf(kind, values), keepalive }).catch(() => null);
  draft.isSaving = false;
  if (isOver) return;
  const answer = response?.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : {};
  if (!response?.ok || answer.version === undefined) {
    state.textContent = answer.error || state.dataset.failed;
    isOver = response?.status === 409;
    return finish();
  }
  draft.saved = now;
  draft.version = answer.version;
  if (kind === shown) tellVersion();
  state.textContent = answer.version ? state.dataset.saved : "";
  if (JSON.stringify(valuesOf(kind)) !== now) return save({ kind });
  form.dispatchEvent(new CustomEvent("draft:saved", { bubbles: true, detail: { kind } }));
  finish();
}

function tellVersion() {
  form.elements.draft.value = form.dataset.draftVersion = kept[shown].version;
}

// From a reply to a note or back: what was written is put away, and what was begun of the other kind is put in its place.
function turn() {
  const left = shown;
  const next = form.elements.kind.value;
  if (next === left) return;
  if (form.querySelector("[data-chosen] progress")) {
    form.elements.kind.value = left; // a file on its way belongs to what it was chosen for
    state.textContent = state.dataset.waits;
    return;
  }
  kept[left].values = held();
  shown = next;
  if (discard) discard.hidden = shown !== first;
  save({ kind: left });
  tellVersion();
  for (const name of NAMES) form.elements[name].value = kept[next].values[name] || "";
  form.elements.text.defaultValue = form.elements.text.value;
  form.elements.text.dispatchEvent(new CustomEvent("editor:show"));
  form.elements.uploads.dispatchEvent(new Event("input", { bubbles: true }));
  form.dispatchEvent(new CustomEvent("draft:shown", { bubbles: true }));
}

function finish() {
  for (const done of waiting.splice(0)) done();
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

form.querySelector("[data-draft-save]").hidden = true;
form.addEventListener("input", later);
form.addEventListener("change", (event) => (event.target.name === "kind" ? turn() : later()));
form.addEventListener("draft:flush", (event) => {
  waiting.push(event.detail.done);
  save();
});
// At the document: after those who may still hold it back.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target !== form) return;
  isOver = true;
  clearTimeout(timer);
});
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && save({ keepalive: true }));
