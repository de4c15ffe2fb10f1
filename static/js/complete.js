// Fields that complete names: the combobox of the ARIA Authoring Practices. Without it, the server finds who is meant in what was written.
const PAUSE = 150; // milliseconds after a letter
let serial = 0;

for (const field of document.querySelectorAll("input[data-find]")) complete(field);

function complete(field) {
  const list = document.createElement("ul");
  list.id = `options-${++serial}`;
  list.className = "options";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.options);
  list.hidden = true;
  const status = document.createElement("span");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  field.after(list, status);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  let active = -1;
  let asked = null; // the question that is under way
  let timer = 0;

  function close() {
    clearTimeout(timer);
    asked?.abort();
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    mark(-1);
  }

  function mark(index) {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = list.children[active];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }

  function forget() {
    for (const old of field.form.querySelectorAll("input[data-chosen]")) old.remove();
  }

  function choose(option) {
    forget();
    const chosen = document.createElement("input");
    Object.assign(chosen, { type: "hidden", name: option.dataset.name, value: option.dataset.value });
    chosen.dataset.chosen = "";
    field.form.append(chosen);
    field.value = option.dataset.label;
    close();
  }

  function show(found) {
    list.replaceChildren(
      ...found.organizations.map((one) => row(one, "organization")),
      ...found.people.map((one) => row(one, "person")),
    );
    status.textContent = list.children.length ? "" : field.dataset.none;
    list.hidden = !list.children.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    mark(-1);
  }

  function row(one, name) {
    const option = document.createElement("li");
    option.id = `${list.id}-${name}-${one.id}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    Object.assign(option.dataset, { name, value: one.id, label: one.name });
    option.append(one.name);
    if (one.note) {
      const note = document.createElement("span");
      note.className = "muted";
      note.textContent = ` ${one.note}`;
      option.append(note);
    }
    return option;
  }

  async function ask() {
    asked?.abort();
    asked = new AbortController();
    const address = new URL(field.dataset.find, location.href);
    address.searchParams.set("q", field.value);
    try {
      const answer = await fetch(address, { signal: asked.signal, headers: { Accept: "application/json" } });
      if (answer.ok && document.activeElement === field) show(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") close(); // offline: what is written is found by the server
    }
  }

  function askSoon() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  }

  field.addEventListener("input", () => {
    forget();
    askSoon();
  });
  field.addEventListener("focus", askSoon);
  field.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : list.children.length;
    if (event.key === "ArrowDown" && !count) ask();
    else if (event.key === "ArrowDown") mark((active + 1) % count);
    else if (event.key === "ArrowUp" && count) mark((active - 1 + count) % count);
    else if (event.key === "Enter" && active >= 0) choose(list.children[active]);
    else if (event.key === "Escape" && count) close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
