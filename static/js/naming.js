// Naming somebody by "@": a list of who can be named opens while one types, and a line says beforehand whom posting would share the ticket with.
// [data-naming] (components/naming.html) tells where the people are, for which textarea. Its editor, once there is one, is listened to instead.
const BEFORE = /(?:^|[^\p{L}\p{N}_@.+=&#%~/\\-])@([^\n@]{0,60})$/u;
const SHOWN = 8;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const filled = (words, names) => words.replace("{names}", new Intl.ListFormat(document.documentElement.lang).format(names));

// What is typed in: a textarea, or the editor in its place.
function ofArea(area) {
  return {
    box: area,
    before: () => (area.selectionStart === area.selectionEnd ? area.value.slice(0, area.selectionStart) : ""),
    replace(length, words) {
      const to = area.selectionStart;
      area.setRangeText(words, to - length, to, "end");
      area.dispatchEvent(new Event("input", { bubbles: true }));
    },
    caret() {
      const { left, bottom } = area.getBoundingClientRect();
      return { left: left + 12, bottom };
    },
  };
}

function ofEditor(editor) {
  const at = () => editor.state.selection.$from;
  return {
    box: editor.view.dom,
    before: () =>
      !editor.state.selection.empty || editor.isActive("code") || editor.isActive("codeBlock")
        ? ""
        : at().parent.textBetween(0, at().parentOffset, "\n", "\ufffc"),
    replace(length, words) {
      const to = at().pos;
      editor.chain().focus().insertContentAt({ from: to - length, to }, words).run();
    },
    caret: () => editor.view.coordsAtPos(at().pos),
  };
}

class Naming {
  constructor(note) {
    this.note = note;
    this.area = document.getElementById(note.dataset.for);
    this.form = this.area.form;
    this.field = ofArea(this.area);
    this.people = {}; // by whether a note is written: the lists differ
    this.list = document.createElement("ul");
    Object.assign(this.list, { id: `${this.area.id}_naming`, className: "naming-list", hidden: true, role: "listbox" });
    this.list.setAttribute("aria-label", note.dataset.label);
    (this.area.closest("main") || document.body).append(this.list); // popped up, yet among what the page is about
    this.said = document.createElement("p");
    this.said.className = "visually-hidden";
    this.said.setAttribute("role", "status");
    note.after(this.said);
    this.listen();
  }

  listen() {
    this.mark(this.field.box);
    this.area.addEventListener("input", () => this.typed());
    this.area.addEventListener("editor:ready", (event) => {
      this.close();
      this.field = ofEditor(event.detail.editor);
      this.mark(this.field.box);
      event.detail.editor.on("selectionUpdate", () => this.list.hidden || this.look());
      event.detail.editor.on("blur", () => this.close());
    });
    this.area.addEventListener("blur", () => this.close());
    this.area.addEventListener("click", () => this.close());
    this.form.addEventListener("change", (event) => ["kind", "share"].includes(event.target.name) && this.warn());
    // On the way down, before the editor takes the keys for itself.
    this.form.addEventListener("keydown", (event) => !this.list.hidden && this.onKey(event), true);
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault(); // the text keeps the focus
      const item = event.target.closest("[role=option]");
      if (item) this.choose([...this.list.children].indexOf(item));
    });
    addEventListener("resize", () => this.close());
    addEventListener("scroll", () => this.list.hidden || this.place(), { passive: true, capture: true });
    if (this.area.value.includes("@")) this.warn();
  }

  mark(box) {
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-haspopup", "listbox");
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.warn(), 300);
    this.look();
  }

  get isNote() {
    return this.form.elements.kind?.value === "note";
  }

  load() {
    const url = `${this.note.dataset.naming}${this.isNote ? "?note=1" : ""}`;
    this.people[url] ??= fetch(url, { headers: { Accept: "application/json" } }).then(
      async (answer) => (answer.ok ? (await answer.json()).people : []),
      () => [],
    );
    return this.people[url];
  }

  async look() {
    const typed = this.field.before().match(BEFORE)?.[1];
    if (typed === undefined || /^\s/.test(typed)) return this.close();
    const people = await this.load();
    if (this.field.before().match(BEFORE)?.[1] !== typed) return; // typed on meanwhile
    const wanted = fold(typed);
    const starts = (one) => [one.as, one.name, ...one.name.split(/[\s-]+/)].some((word) => fold(word).startsWith(wanted));
    this.show(people.filter(starts).slice(0, SHOWN), typed);
  }

  show(found, typed) {
    if (!found.length) return this.close();
    this.found = found;
    this.query = typed;
    this.list.replaceChildren(...found.map((one, at) => this.option(one, at)));
    this.list.hidden = false;
    this.field.box.setAttribute("aria-controls", this.list.id);
    this.select(0);
    this.place();
    this.said.textContent = (found.length === 1 ? this.note.dataset.one : this.note.dataset.many).replace("{count}", found.length);
  }

  option(one, at) {
    const item = document.createElement("li");
    Object.assign(item, { id: `${this.list.id}_${at}`, role: "option" });
    const name = document.createElement("span");
    name.textContent = one.name;
    const about = document.createElement("span");
    about.className = "muted";
    about.textContent = [one.as === one.name ? "" : `@${one.as}`, one.about].filter(Boolean).join(" · ");
    item.append(name, about);
    return item;
  }

  select(at) {
    this.at = (at + this.found.length) % this.found.length;
    [...this.list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === this.at)));
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
    this.field.box.setAttribute("aria-activedescendant", `${this.list.id}_${this.at}`);
  }

  place() {
    const { left, bottom, top } = this.field.caret();
    const { offsetWidth: width, offsetHeight: height } = this.list;
    const below = bottom + 4 + height < innerHeight || top === undefined;
    this.list.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
    this.list.style.top = `${Math.max(8, below ? Math.min(bottom + 4, innerHeight - height - 8) : top - height - 4)}px`;
  }

  onKey(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const deeds = {
      ArrowDown: () => this.select(this.at + 1),
      ArrowUp: () => this.select(this.at - 1),
      Enter: () => this.choose(this.at),
      Tab: () => this.choose(this.at),
      Escape: () => this.close(),
    };
    if (!deeds[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    deeds[event.key]();
  }

  choose(at) {
    const one = this.found[at];
    const length = this.query.length;
    this.close();
    this.field.replace(length, `${one.as} `);
    this.said.textContent = one.name;
  }

  close() {
    if (this.list.hidden) return;
    this.list.hidden = true;
    this.said.textContent = "";
    for (const name of ["aria-controls", "aria-activedescendant"]) this.field.box.removeAttribute(name);
  }

  // The server decides who is named; here it is said beforehand, for what most people write.
  async warn() {
    const text = this.area.value;
    const people = text.includes("@") ? await this.load() : [];
    const isNamed = (one) => one.ways.some((way) => new RegExp(`(?<![\\p{L}\\p{N}_@./])@${escaped(way)}(?![\\p{L}\\p{N}\\p{M}_])`, "iu").test(text));
    const names = this.isNote ? [] : people.filter((one) => !one.sees && isNamed(one)).map((one) => one.name);
    const words = names.length ? filled(this.note.dataset.shares, names) : "";
    if (this.note.textContent !== words) this.note.textContent = words;
  }
}

for (const note of document.querySelectorAll("[data-naming]")) new Naming(note);
