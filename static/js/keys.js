// The desk's keys. Listed in the dialog #keys, where they can be switched off. Silent while one types.
const dialog = document.getElementById("keys");
const onBox = dialog.querySelector("[data-keys-on]");
onBox.checked = localStorage.getItem("keys") !== "off";
onBox.addEventListener("change", () => localStorage.setItem("keys", onBox.checked ? "on" : "off"));

function step(by) {
  const links = [...document.querySelectorAll("[data-row] a[data-open]")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : at + by];
  if (!next) return;
  next.focus({ focusVisible: true });
  next.closest("[data-row]").scrollIntoView({ block: "nearest" });
}

function write(kind) {
  const radio = document.querySelector(`.composer input[name="kind"][value="${kind}"]`);
  const area = document.querySelector(".composer textarea");
  radio?.click();
  area?.focus();
  area?.closest(".composer").scrollIntoView({ block: "center" });
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => document.activeElement.closest("[data-row]")?.querySelector("a[data-open]").click(),
  "/": () => document.querySelector("[data-search]").focus(),
  r: () => write("reply"),
  n: () => write("note"),
  a: () => document.querySelector("[data-articles]")?.click(),
  "?": () => dialog.showModal(),
};

const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
document.addEventListener("keydown", (event) => {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || dialog.open) return;
  if (event.target.closest(TYPING) || (!onBox.checked && event.key !== "?")) return;
  event.preventDefault();
  action();
});
