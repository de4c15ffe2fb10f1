// Finds a help article while one writes a reply, and puts its link into the text.
import { finder } from "./finder.js";

const button = document.querySelector("[data-articles]");
const area = button.form.querySelector("textarea");
let editor = null;
area.addEventListener("editor:ready", (event) => (editor = event.detail.editor));

function insert({ dataset: { title, url } }) {
  if (editor) {
    const words = [{ type: "text", text: title, marks: [{ type: "link", attrs: { href: url } }] }, { type: "text", text: " " }];
    editor.chain().focus().insertContent(words).run();
    return;
  }
  area.setRangeText(`${title}: ${url} `, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

button.hidden = false;
button.addEventListener("click", finder(document.getElementById("article-finder"), { address: button.dataset.articles, choose: insert }));
