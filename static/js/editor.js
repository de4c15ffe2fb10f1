// Makes a rich text editor of <textarea data-editor> (components/editor.html). The bundle is fetched once somebody turns to the form; until then, and
// where it can't be had, the textarea is one. It goes on holding the plain text for drafts and related tickets; the hidden field has the rich one.
// Whoever extends the editor listens for "editor:ready" (detail: editor, a Tiptap instance, and tiptap, the bundle) on the textarea.
const SAFE = /^(https?:|mailto:)/i;

// Positions in this document are those of the text plus one: a paragraph's end and start stand for "\n\n", a break for "\n".
function asDocument(text) {
  const paragraph = (lines) => ({
    type: "paragraph",
    content: lines.flatMap((line, at) => [...(at ? [{ type: "hardBreak" }] : []), ...(line ? [{ type: "text", text: line }] : [])]),
  });
  return { type: "doc", content: text.split("\n\n").map((block) => paragraph(block.split("\n"))) };
}

// No Tab inside lists, where it would keep who works by keys from leaving; no Ctrl+Enter, which sends.
function extensionsOf(tiptap, area) {
  const { Node, wrappingInputRule } = tiptap;
  const image = tiptap.Image.extend({ parseHTML: () => [{ tag: 'img[src^="/"]:not([src^="//"])' }] });
  const item = tiptap.ListItem.extend({
    addKeyboardShortcuts() {
      return { Enter: () => this.editor.commands.splitListItem(this.name) };
    },
  });
  const numbered = tiptap.OrderedList.extend({
    addInputRules() {
      return [wrappingInputRule({ find: /^(\d{1,3})\.\s$/, type: this.type, getAttributes: (match) => ({ start: Number(match[1]) }) })];
    },
  }).configure({ enableListAttributes: false });
  const link = tiptap.Link.extend({ addKeyboardShortcuts: () => ({}) }).configure({
    openOnClick: false,
    enableTarget: false,
    defaultProtocol: "https",
    isAllowedUri: (url) => SAFE.test(url) || !/^[a-z][a-z0-9+.-]*:/i.test(url),
  });
  const { Document, Paragraph, Text, HardBreak, Bold, Italic, Strike, Code, CodeBlock, Blockquote, BulletList, History, Dropcursor, Gapcursor } = tiptap;
  const all = [Document, Paragraph, Text, HardBreak, Bold, Italic, Strike, Code, CodeBlock, Blockquote, BulletList, numbered, item, link, image];
  all.push(History, Gapcursor, Dropcursor.configure({ class: "drop-cursor", color: false }), tiptap.Placeholder.configure({ placeholder: area.placeholder }));
  if (area.dataset.editor === "article") all.push(tiptap.Heading.configure({ levels: [2, 3] }));
  return all;
}

// Lines of pasted text stay lines of one paragraph, as in a textarea.
function pastedText(text, _context, _plain, view) {
  const { Fragment, Slice } = pmModel;
  const pasted = view.state.schema.nodeFromJSON(asDocument(text.replace(/\r\n?/g, "\n").replace(/\n{3,}/g, "\n\n")));
  return Slice.maxOpen(Fragment.from(pasted.content));
}
let pmModel, pmState;

const COMMANDS = {
  bold: (chain) => chain.toggleBold(),
  italic: (chain) => chain.toggleItalic(),
  bulletList: (chain) => chain.toggleBulletList(),
  orderedList: (chain) => chain.toggleOrderedList(),
  blockquote: (chain) => chain.toggleBlockquote(),
  heading2: (chain) => chain.toggleHeading({ level: 2 }),
  heading3: (chain) => chain.toggleHeading({ level: 3 }),
  // Some words of a line, or whole lines.
  code: (chain, { state, isActive }) => {
    const { empty, $from, $to } = state.selection;
    return isActive("codeBlock") || empty || !$from.sameParent($to) ? chain.toggleCodeBlock() : chain.toggleCode();
  },
};

const isOn = (editor, command) => {
  if (command.startsWith("heading")) return editor.isActive("heading", { level: Number(command.at(-1)) });
  return editor.isActive(command) || (command === "code" && editor.isActive("codeBlock"));
};

class RichText {
  constructor(area) {
    this.area = area;
    this.box = area.closest(".editor");
    this.bar = this.box.querySelector(".editor-bar");
    this.panel = this.box.querySelector(".editor-link");
    this.hidden = document.getElementById(area.dataset.html);
    this.rich = this.hidden.value; // of the words that the page came with
    this.hasFiles = area.form.querySelector("input[type=file]") !== null;
    this.bar.querySelector('[data-command="picture"]').hidden = !this.hasFiles;
    this.listen();
    if (document.activeElement !== area) area.setSelectionRange(area.value.length, area.value.length); // who comes by Tab goes on behind them too
    if (this.rich || area.form.contains(document.activeElement)) this.load(); // what was sent and came back, or a draft; or somebody was quicker
    if (area.value !== area.defaultValue) this.typedOutside(); // while this script was on its way
  }

  listen() {
    const { area, bar, panel } = this;
    area.form.addEventListener("focusin", () => this.load(), { once: true });
    area.form.addEventListener("pointerover", () => this.load(), { once: true });
    area.addEventListener("input", () => this.typedOutside());
    area.addEventListener("editor:show", () => this.show());
    const buttons = [...bar.querySelectorAll("button")];
    buttons.forEach((button, at) => (button.tabIndex = at ? -1 : 0));
    bar.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps the focus
    bar.addEventListener("click", async (event) => {
      const button = event.target.closest("button");
      if (button && (await this.load())) this.run(button.dataset.command);
    });
    bar.addEventListener("keydown", (event) => {
      const isWord = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
      if (isWord) area.focus(); // on from the field before it by Tab and typing: the letter goes into the text
      const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const at = buttons.indexOf(document.activeElement) + steps[event.key];
      const next = buttons[Math.abs(at) === Infinity ? (at < 0 ? 0 : buttons.length - 1) : (at + buttons.length) % buttons.length];
      for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
      next.focus();
    });
    panel.addEventListener("click", (event) => {
      const what = event.target.closest("button")?.dataset.link;
      if (what) this.setLink(what === "set" ? panel.querySelector("input").value : "");
    });
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) this.setLink(event.target.value);
      else if (event.key === "Escape") this.closePanel();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    panel.addEventListener("focusout", (event) => !panel.contains(event.relatedTarget) && this.closePanel({ keepFocus: true }));
  }

  // A draft that is taken back, or words typed before the editor stands: from then on the plain text is what counts.
  typedOutside() {
    if (this.isWriting) return;
    if (this.editor) this.editor.chain().setContent(asDocument(this.area.value), { emitUpdate: true }).setTextSelection(Infinity).run();
    else if (this.hidden.value) {
      this.hidden.value = "";
      this.hidden.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  // Other words were put in the place of these, and no undo leads back.
  show() {
    this.rich = this.hidden.value;
    if (!this.editor) return this.rich && this.load();
    this.editor.commands.setContent(this.content().content, { emitUpdate: false, parseOptions: { preserveWhitespace: "full" } });
    const { schema, doc, plugins } = this.editor.state;
    this.editor.view.updateState(pmState.EditorState.create({ schema, doc, plugins }));
    this.editor.commands.setTextSelection(doc.content.size);
  }

  load() {
    this.loading ??= import(this.box.dataset.src).then(
      (tiptap) => this.whenNotComposing().then(() => this.enhance(tiptap)),
      () => null, // without it the textarea does
    );
    return this.loading;
  }

  // A swap in the middle of a composed character would lose it.
  async whenNotComposing() {
    let isComposing = false;
    const note = (event) => (isComposing = event.isComposing);
    this.area.addEventListener("input", note);
    await new Promise((done) => setTimeout(done));
    if (isComposing) await new Promise((done) => this.area.addEventListener("compositionend", done, { once: true }));
    this.area.removeEventListener("input", note);
  }

  // What was typed behind the words that the page came with is put behind the rich ones; else the plain text is what counts.
  content() {
    const { area, rich } = this;
    const goesOn = rich && area.value.startsWith(area.defaultValue);
    return goesOn ? { content: rich, typed: area.value.slice(area.defaultValue.length) } : { content: asDocument(area.value), typed: "" };
  }

  enhance(tiptap) {
    const { area, hidden } = this;
    const { content, typed } = this.content();
    pmModel = tiptap.pm.model;
    pmState = tiptap.pm.state;
    const hadFocus = document.activeElement === area;
    const selection = { from: area.selectionStart + 1, to: area.selectionEnd + 1 };
    const place = document.createElement("div");
    area.after(place);
    this.editor = new tiptap.Editor({
      element: place,
      injectCSS: false,
      extensions: extensionsOf(tiptap, area),
      content,
      parseOptions: { preserveWhitespace: "full" },
      editorProps: {
        attributes: this.attributes(),
        clipboardTextParser: pastedText,
        handleKeyDown: (_view, event) => this.onKey(event),
        handlePaste: (_view, event) => this.takePictures(event.clipboardData, event),
        handleDrop: (view, event, _slice, moved) => {
          if (moved) return false;
          const at = view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos;
          return this.takePictures(event.dataTransfer, event, at);
        },
      },
      onUpdate: () => this.write(),
      onTransaction: () => this.refresh(),
    });
    // One goes on after what is there already, whenever one turns to it.
    const isRich = content === this.rich;
    this.editor.commands.setTextSelection(hadFocus && !isRich ? selection : this.editor.state.doc.content.size);
    if (typed) this.editor.view.dispatch(this.editor.state.tr.replaceSelection(pastedText(typed, null, null, this.editor.view)));
    // At once, and before the textarea goes: the editor's own command waits for a frame, and a key pressed meanwhile would be lost.
    if (hadFocus) this.editor.view.focus();
    area.hidden = true;
    area.required = false; // a field that can't be seen can't ask; the server does
    area.focus = () => this.editor.view.focus(); // who turns to the textarea turns to its editor
    this.box.classList.add("is-rich");
    this.box.querySelector("[name=is_plain]").disabled = true;
    if (area.value && !hidden.value) this.write();
    area.dispatchEvent(new CustomEvent("editor:ready", { detail: { editor: this.editor, tiptap }, bubbles: true }));
    return this.editor;
  }

  // The name, the description and the complaints of the textarea are the editor's.
  attributes() {
    const { area } = this;
    const attributes = { id: `${area.id}_editor`, class: "prose", role: "textbox", "aria-multiline": "true" };
    if (area.required) attributes["aria-required"] = "true";
    for (const name of ["aria-label", "aria-describedby", "aria-invalid"]) if (area.hasAttribute(name)) attributes[name] = area.getAttribute(name);
    const label = document.querySelector(`label[for="${CSS.escape(area.id)}"]`);
    if (label) {
      label.id ||= `${area.id}_label`;
      label.removeAttribute("for");
      label.addEventListener("click", () => this.editor.commands.focus());
      attributes["aria-labelledby"] = label.id;
    }
    this.bar.setAttribute("aria-controls", attributes.id);
    return attributes;
  }

  write() {
    const { editor, area, hidden } = this;
    area.value = editor.getText({ blockSeparator: "\n\n" }).replace(/\n{3,}/g, "\n\n").trim();
    hidden.value = editor.isEmpty ? "" : editor.getHTML();
    this.isWriting = true;
    for (const field of [area, hidden]) field.dispatchEvent(new Event("input", { bubbles: true }));
    this.isWriting = false;
  }

  refresh() {
    if (!this.editor) return;
    for (const button of this.bar.querySelectorAll("[aria-pressed]")) {
      button.setAttribute("aria-pressed", String(isOn(this.editor, button.dataset.command)));
    }
  }

  onKey(event) {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key === "Enter") return true; // the form sends
    if (event.key === "Escape") this.editor.view.dom.blur(); // who works by keys leaves by it
    if (!isCommand || event.key.toLowerCase() !== "k") return false;
    this.openPanel();
    return true;
  }

  run(command) {
    if (command === "link") return this.panel.hidden ? this.openPanel() : this.closePanel();
    if (command === "picture") return this.choosePicture();
    COMMANDS[command](this.editor.chain().focus(), { state: this.editor.state, isActive: (name) => this.editor.isActive(name) }).run();
  }

  openPanel() {
    const input = this.panel.querySelector("input");
    input.value = this.editor.getAttributes("link").href || "";
    this.panel.querySelector('[data-link="remove"]').hidden = !this.editor.isActive("link");
    this.panel.hidden = false;
    this.bar.querySelector('[data-command="link"]').setAttribute("aria-expanded", "true");
    input.select();
    input.focus();
  }

  closePanel({ keepFocus = false } = {}) {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.bar.querySelector('[data-command="link"]').setAttribute("aria-expanded", "false");
    if (!keepFocus) this.editor.commands.focus();
  }

  setLink(typed) {
    const address = typed.trim();
    const href = !address || SAFE.test(address) ? address : address.includes("@") && !address.includes("/") ? `mailto:${address}` : `https://${address}`;
    const chain = this.editor.chain().focus().extendMarkRange("link");
    if (!href) chain.unsetLink().run();
    else if (this.editor.state.selection.empty && !this.editor.isActive("link")) {
      chain.insertContent([{ type: "text", text: address, marks: [{ type: "link", attrs: { href } }] }, { type: "text", text: " " }]).run();
    } else chain.setLink({ href }).run();
    this.closePanel();
  }

  choosePicture() {
    const input = document.createElement("input");
    Object.assign(input, { type: "file", accept: "image/*", multiple: true });
    input.addEventListener("change", () => this.insert([...input.files]));
    input.click();
  }

  // Spreadsheets and word processors add a picture of what they copy: there the text is meant.
  takePictures(data, event, at) {
    const files = [...(data?.files || [])];
    if (!files.length || data.types.includes("text/plain")) return false;
    event.preventDefault();
    this.insert(files, at);
    return true;
  }

  // composer.js uploads; a picture is shown where it was put, any other file is listed.
  insert(files, at) {
    if (!this.hasFiles) return;
    for (const file of files) {
      const isPicture = file.type.startsWith("image/");
      const key = isPicture ? crypto.getRandomValues(new Uint32Array(2)).join("-") : "";
      if (isPicture) {
        const picture = { type: "image", attrs: { src: "", alt: `${this.box.dataset.uploading}: ${file.name}`, file: key } };
        const chain = this.editor.chain().focus();
        (at === undefined ? chain.insertContent([picture, { type: "paragraph" }]) : chain.insertContentAt(at, picture)).run();
      }
      const detail = { file, isPicture, placed: (url) => this.place(key, { src: url, alt: file.name, file: null }), failed: () => this.place(key, null) };
      this.area.dispatchEvent(new CustomEvent("editor:file", { detail, bubbles: true }));
    }
  }

  // Returns false where the picture has gone from the text meanwhile.
  place(key, attributes) {
    return this.editor.commands.command(({ tr, dispatch }) => {
      let found = false;
      tr.doc.descendants((node, at) => {
        if (found || node.type.name !== "image" || !key || node.attrs.file !== key) return;
        found = true;
        if (dispatch && attributes) tr.setNodeMarkup(at, null, attributes).setMeta("addToHistory", false);
        else if (dispatch) tr.delete(at, at + node.nodeSize);
      });
      return found;
    });
  }
}

for (const area of document.querySelectorAll("textarea[data-editor]")) new RichText(area);
