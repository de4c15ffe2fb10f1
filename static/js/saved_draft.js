// Keeps what is written in the desk's composer on the server, a moment after each pause; drafts.js keeps in this browser what has not arrived there.
// "draft:saved" on the form tells that it has. "draft:flush" asks for it at once; its detail.done is called when it is there, or could not be.
const form = document.querySelector("form[data-draft-url]");
const state = form.querySelector("[data-draft-state]");
const PAUSE = 1200;
const NAMES = ["text", "html", "uploads", "kind", "status"];
let saved = held();
let timer;
let isSaving = false;
let isOver = false; // sent, or written on elsewhere: what stands here is no draft of this page any more
let waiting = [];

function held() {
  const data = new FormData(form);
  return JSON.stringify(NAMES.map((name) => data.get(name) || ""));
}
const isEmpty = () => ["text", "uploads"].every((name) => !form.elements[name].value.trim()) && !form.elements.html.value;

async function save({ keepalive = false } = {}) {
  clearTimeout(timer);
  if (isOver || isSaving) return;
  const now = held();
  if (now === saved || (isEmpty() && !form.elements.draft.value)) return finish();
  isSaving = true;
  state.textContent = state.dataset.saving;
  const body = new FormData(form);
  body.delete("files");
  body.set("quietly", "1");
  const response = await fetch(form.dataset.draftUrl, { method: "POST", body, keepalive }).catch(() => null);
  isSaving = false;
  if (isOver) return;
  const answer = response?.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : {};
  if (!response?.ok || answer.version === undefined) {
    state.textContent = answer.error || state.dataset.failed;
    isOver = response?.status === 409;
    return finish();
  }
  saved = now;
  form.elements.draft.value = form.dataset.draftVersion = answer.version;
  state.textContent = answer.version ? state.dataset.saved : "";
  if (held() !== now) return save();
  form.dispatchEvent(new CustomEvent("draft:saved", { bubbles: true }));
  finish();
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
form.addEventListener("change", later);
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
