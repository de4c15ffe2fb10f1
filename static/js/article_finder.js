// Finds a help article while one writes a reply, and puts its link into the text: the key i opens, the arrows choose, Enter inserts.
const button = document.querySelector("[data-articles]");
const dialog = document.getElementById("article-finder");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const area = button.form.querySelector("textarea");
let editor = null;
let asked = 0;
let timer;

area.addEventListener("editor:ready", (event) => (editor = event.detail.editor));
const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];

function choose(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

async function find() {
  const mine = ++asked;
  const address = new URL(button.dataset.articles, location.href);
  address.searchParams.set("q", input.value);
  const response = await fetch(address).catch(() => null);
  const found = response?.ok ? await response.text() : null;
  if (mine !== asked || found === null) return; // a newer question is on its way, or the list stays as it is
  list.innerHTML = found;
  choose(options()[0]);
}

function insert({ title, url }) {
  dialog.close();
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
button.addEventListener("click", () => {
  input.value = "";
  dialog.showModal();
  input.focus();
  find();
});
input.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(find, 200);
});
input.addEventListener("keydown", (event) => {
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key.startsWith("Arrow") && !all.length) return;
  if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(all[(at - 1 + all.length) % all.length]);
  else if (event.key === "Enter" && at >= 0) insert(all[at].dataset);
  else if (event.key !== "Enter") return;
  event.preventDefault();
});
list.addEventListener("click", (event) => {
  const option = event.target.closest("[role=option]:not([aria-disabled])");
  if (option) insert(option.dataset);
});
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
