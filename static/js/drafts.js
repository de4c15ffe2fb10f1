// Keeps what is typed into [data-draft] fields in this browser until it has been sent: after an error, a reload or an expired session it is back.
// A submission has arrived when the next page carries a success message or <meta name="draft-done">.
const PREFIX = "draft:";
const KEPT_DAYS = 14;
// By where the form goes: a page that comes back with an error has another address than the one it was written on.
const goesTo = (field) => new URL(field.form?.getAttribute("action") || "", location.href).pathname;
// A reply and an internal note of one form are two drafts: a note must not come back as a reply.
const kindsOf = (form) => [...(form?.querySelectorAll('input[type=radio][name="kind"]') || [])];
const kindOf = (field) => kindsOf(field.form).find((radio) => radio.checked)?.value;
const keyOf = (field, kind = kindOf(field)) =>
  [PREFIX, document.body.dataset.person, goesTo(field), field.dataset.draft, field.name, ...(kind ? [kind] : [])].join("|");

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

let isRestoring = false;

function write(field) {
  if (isRestoring) return; // it comes from here
  const { value: text } = field;
  try {
    if (field.dataset.html) localStorage.removeItem(keyOf(document.getElementById(field.dataset.html))); // of other words; the editor tells its own next
    const base = field.form?.dataset.draftVersion;
    if (text.trim()) localStorage.setItem(keyOf(field), JSON.stringify({ text, base, at: Date.now() }));
    else localStorage.removeItem(keyOf(field));
  } catch {
    // Storage is full or forbidden: the page works on without drafts.
  }
}

function forgetOld() {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(PREFIX) && !(read(key)?.at > Date.now() - KEPT_DAYS * 86400000)) localStorage.removeItem(key);
  }
}

function forgetSent() {
  const sent = JSON.parse(sessionStorage.getItem("drafts-sent"));
  sessionStorage.removeItem("drafts-sent");
  // The login page may have come between: then a success is that of the login.
  if (!sent || document.referrer.split("#")[0] !== sent.from) return;
  if (document.querySelector('.message-success, meta[name="draft-done"]')) for (const key of sent.keys) localStorage.removeItem(key);
}

function restore(field) {
  const draft = read(keyOf(field));
  const before = field.defaultValue;
  // Of a draft that the server keeps, this browser has only what did not reach it: newer than what the page shows, if it began from that.
  const goesOn = draft?.base !== undefined && draft.base === field.form?.dataset.draftVersion;
  if (!draft || draft.text === field.value || (before.trim() && !goesOn)) return;
  // What was typed while this script was on its way stays, behind the draft.
  const rich = document.getElementById(field.dataset.html);
  if (field.value !== before && !(rich && field.value.startsWith(before))) return;
  const typed = field.value.slice(before.length);
  field.defaultValue = draft.text;
  field.value = draft.text + typed;
  if (rich) rich.value = ""; // its own is the next to come back, if there was one
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const note = document.querySelector(`[data-draft-note="${CSS.escape(field.id)}"]`);
  if (!note) return;
  note.hidden = false;
  note.querySelector("button").addEventListener("click", () => {
    field.value = before;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    note.hidden = true;
    field.focus();
  });
}

// Where nothing is there of the kind that is shown, but something that did not reach the server of the other.
function turnToWhatWasLeft(area) {
  if (area.value || read(keyOf(area))) return;
  kindsOf(area.form)
    .find((radio) => read(keyOf(area, radio.value)))
    ?.click();
}

try {
  forgetSent();
  forgetOld();
  for (const field of document.querySelectorAll("[data-draft]")) {
    restore(field);
    field.addEventListener("input", () => write(field));
  }
  document.addEventListener("draft:shown", (event) => {
    isRestoring = true;
    event.target.querySelectorAll("[data-draft]").forEach(restore);
    isRestoring = false;
  });
  for (const area of document.querySelectorAll("textarea[data-draft]")) turnToWhatWasLeft(area);
  document.addEventListener("draft:saved", (event) => {
    for (const field of event.target.querySelectorAll("[data-draft]")) localStorage.removeItem(keyOf(field, event.detail.kind));
  });
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const keys = [...event.target.querySelectorAll("[data-draft]")].map((field) => keyOf(field)); // and not the number that map adds
    if (keys.length) sessionStorage.setItem("drafts-sent", JSON.stringify({ keys, from: location.href.split("#")[0] }));
  });
} catch {
  // No storage in this browser.
}
