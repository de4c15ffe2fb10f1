// Puts a canned reply, filled in by the server for this ticket, into the text at the cursor. Without scripts the same button leads to a page of them.
import { finder } from "./finder.js";

const button = document.querySelector("[data-canned]");
const { form } = button;
const area = form.querySelector("textarea");
let editor = null;
const ready = new Promise((done) => area.addEventListener("editor:ready", (event) => done((editor = event.detail.editor)), { once: true }));

async function insert({ dataset: { html, text, used } }) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  fetch(used, { method: "POST", body, keepalive: true }).catch(() => {}); // a count
  await Promise.race([ready, new Promise((done) => setTimeout(done, 3000))]);
  if (editor) {
    editor.chain().focus().insertContent(html).run();
    return;
  }
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

const open = finder(document.getElementById("canned-finder"), { address: button.dataset.canned, choose: insert });
button.type = "button";
button.addEventListener("click", () => {
  form.dispatchEvent(new Event("focusin")); // the editor comes while one chooses
  open();
});
