// Fields that complete what is typed: the combobox of the ARIA Authoring Practices. [data-find] completes names of people and organizations; without it,
// the server finds who is meant in what was written. [data-offers] completes what the server tells by a line. [data-complete] is the queue's line, whose words can all be typed.
const PAUSE = 150; // milliseconds after a letter
let serial = 0;

for (const field of document.querySelectorAll("input[data-find]")) complete(field, namesIn(field));
for (const field of document.querySelectorAll("input[data-offers]")) complete(field, linesIn(field));
for (const field of document.querySelectorAll("input[data-complete]")) complete(field, wordsIn(field));

// Whom to share with: one person or organization, sent as a hidden field.
function namesIn(field) {
  function forget() {
    for (const old of field.form.querySelectorAll("input[data-chosen]")) old.remove();
  }
  return {
    address: () => [field.dataset.find, { q: field.value }],
    options: (found) => [
      ...found.organizations.map((one) => ({ ...one, label: one.name, kind: "organization" })),
      ...found.people.map((one) => ({ ...one, label: one.name, kind: "person" })),
    ],
    forget,
    choose(one) {
      forget();
      const chosen = document.createElement("input");
      Object.assign(chosen, { type: "hidden", name: one.kind, value: one.id });
      chosen.dataset.chosen = "";
      field.form.append(chosen);
      field.value = one.label;
      return false;
    },
  };
}

// One thing, by words of it, such as a ticket, whose number stands before its subject. The server reads the line.
function linesIn(field) {
  return {
    address: () => [field.dataset.offers, { q: field.value }],
    options: (found) => found.options.map((one) => ({ ...one, label: one.text })),
    forget() {},
    choose(one) {
      field.value = one.text;
      if (field.dataset.goesOn !== undefined) field.form.requestSubmit();
      return false;
    },
  };
}

// The line: what stands before the cursor is replaced. A field is followed by its values at once. The server counts characters, a browser counts an
// emoji twice.
function wordsIn(field) {
  const place = (count) => [...field.value].slice(0, count).join("").length;
  return {
    address: () => [field.dataset.complete, { q: field.value, at: [...field.value.slice(0, field.selectionStart)].length }],
    options: (found) => found.options.map((one) => ({ ...one, label: one.text, start: place(found.start), end: place(found.end) })),
    forget() {},
    keeps: true,
    choose(one) {
      const isField = one.text.endsWith(":");
      const gap = isField || field.value[one.end] === " " ? "" : " ";
      field.setRangeText(one.text + gap, one.start, one.end, "end");
      return isField;
    },
  };
}

// `way`: what is asked (`address`), what of the answer is offered (`options`), and what choosing one does (`choose`; true: ask again).
function complete(field, way) {
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

  let offered = [];
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

  function choose(index) {
    const goesOn = way.choose(offered[index]);
    close();
    if (goesOn) ask();
  }

  function show(found) {
    offered = way.options(found);
    list.replaceChildren(...offered.map(row));
    status.textContent = offered.length ? "" : field.dataset.none || "";
    list.hidden = !offered.length;
    field.setAttribute("aria-expanded", String(!list.hidden));
    mark(-1);
  }

  function row(one, index) {
    const option = document.createElement("li");
    option.id = `${list.id}-${index}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.append(one.label);
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
    const [path, query] = way.address();
    const address = new URL(path, location.href);
    for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
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
    way.forget();
    mark(-1); // what is offered is of what stood there before
    askSoon();
  });
  field.addEventListener("focus", askSoon);
  field.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose([...list.children].indexOf(option));
  });
  field.addEventListener("keydown", (event) => {
    const count = list.hidden ? 0 : list.children.length;
    if (event.key === "ArrowDown" && !count) ask();
    else if (event.key === "ArrowDown") mark((active + 1) % count);
    else if (event.key === "ArrowUp" && count) mark((active - 1 + count) % count);
    else if (event.key === "Enter" && active >= 0) choose(active);
    else if (event.key === "Escape" && count) close();
    else if (event.key === "Escape" && way.keeps) field.blur(); // and the browser does not empty it
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  if (document.activeElement === field) askSoon(); // this came with the focus
}
