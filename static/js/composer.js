// Writing: files that are uploaded as they are chosen, dropped or pasted, sent once, Ctrl+Enter, a textarea that grows.
function inWords(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1024] : ["megabyte", 1048576];
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: unit[0], maximumFractionDigits: 1 });
  return format.format(bytes / unit[1]);
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// The files of one form. What has arrived stands in the hidden field, a line for each: id, size, name. The native control is empty again at once.
class Files {
  constructor(input) {
    this.input = input;
    this.form = input.form;
    this.words = input.dataset;
    this.kept = document.getElementById(this.words.kept);
    this.list = document.querySelector(`[data-chosen="${CSS.escape(input.id)}"]`);
    this.pending = new Set();
    this.pictures = 0; // in the text; they count as files
    input.classList.add("is-needless-name");
    input.addEventListener("change", () => {
      this.add([...input.files]);
      input.value = "";
    });
    this.form.addEventListener("editor:file", (event) => this.add([event.detail.file], event.detail));
    this.form.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
    this.form.addEventListener("drop", (event) => {
      if (event.defaultPrevented || !event.dataTransfer.files.length) return; // the editor took it
      event.preventDefault();
      this.add([...event.dataTransfer.files]);
    });
    this.form.addEventListener("submit", (event) => this.hold(event));
    this.kept.addEventListener("input", () => this.isWriting || this.showKept()); // a draft
    this.showKept();
  }

  showKept() {
    const lines = this.kept.value.split("\n").filter(Boolean);
    for (const item of this.list.querySelectorAll("[data-line]")) if (!lines.includes(item.dataset.line)) item.remove(); // another draft's
    for (const line of lines) {
      const [, size, ...name] = line.split(" ");
      const isListed = [...this.list.children].some((item) => item.dataset.line === line);
      if (!isListed) this.item({ name: name.join(" "), size: Number(size) }).dataset.line = line;
    }
  }

  item(file) {
    const remove = element("button", { type: "button", textContent: "×" });
    remove.setAttribute("aria-label", `${this.words.remove} ${file.name}`);
    const item = element("li", {}, element("span", { className: "clip", textContent: `${file.name} (${inWords(file.size)})` }), remove);
    remove.addEventListener("click", () => {
      item.request?.abort();
      item.remove();
      this.write();
      this.input.focus();
    });
    this.list.append(item);
    return item;
  }

  write() {
    const lines = [...this.list.querySelectorAll("[data-line]")].map((item) => item.dataset.line);
    this.kept.value = lines.join("\n");
    this.isWriting = true;
    this.kept.dispatchEvent(new Event("input", { bubbles: true }));
    this.isWriting = false;
  }

  tell(text, item) {
    if (item) item.querySelector("span").textContent = text;
    else this.list.append((item = element("li", { textContent: text })));
    item.classList.add("errorlist");
    item.setAttribute("role", "alert");
  }

  add(files, from = {}) {
    for (const old of this.list.querySelectorAll(".errorlist:not(:has(button))")) old.remove();
    for (const file of files) {
      if (file.size > Number(this.words.maxBytes)) this.refuse(`${file.name} ${this.words.big}`, from);
      else if (this.list.querySelectorAll("li:not(.errorlist)").length + this.pictures >= Number(this.words.maxFiles)) return this.refuse(this.words.many, from);
      else this.upload(file, from);
    }
  }

  refuse(why, from) {
    this.tell(why);
    from.failed?.();
  }

  upload(file, from) {
    const item = this.item(file);
    const bar = element("progress", { max: 100, value: 0 });
    bar.setAttribute("aria-label", file.name);
    item.querySelector("button").before(bar);
    const request = (item.request = new XMLHttpRequest());
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.form.elements.csrfmiddlewaretoken.value);
    body.append("file", file);
    this.pending.add(request);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = (event.loaded / event.total) * 100));
    request.addEventListener("loadend", () => {
      bar.remove();
      const answer = request.getResponseHeader("Content-Type")?.startsWith("application/json") ? JSON.parse(request.responseText) : {};
      if (request.status === 201) this.arrived(item, answer, from);
      else if (item.isConnected) this.failed(item, file, from, { why: answer.error, isLoggedOut: request.status === 200 || request.status === 403 });
      else from.failed?.(); // taken out meanwhile
      this.pending.delete(request);
      if (!this.pending.size && this.waiting) this.release();
    });
    request.open("POST", this.words.to);
    request.send(body);
  }

  arrived(item, answer, from) {
    if (from.isPicture && answer.is_image) {
      item.remove();
      if (from.placed(answer.url)) this.pictures += 1;
      return;
    }
    from.failed?.(); // no picture after all: it stands in the list
    item.dataset.line = `${answer.id} ${answer.size} ${answer.name}`;
    this.write();
  }

  failed(item, file, from, { why, isLoggedOut }) {
    from.failed?.();
    this.stopWaiting();
    this.tell(why || `${file.name} ${isLoggedOut ? this.words.loggedOut : this.words.failed}`, item);
    if (why) return; // the file itself is refused
    const again = element("button", { type: "button", className: "link", textContent: this.words.again });
    again.addEventListener("click", () => {
      item.remove();
      this.upload(file, {});
    });
    item.querySelector("button").before(again);
  }

  // Sends when everything has arrived.
  hold(event) {
    if (!this.pending.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (this.waiting) return;
    this.waiting = { submitter: event.submitter, note: element("p", { className: "small muted", role: "status", textContent: this.words.waiting }) };
    this.list.after(this.waiting.note);
  }

  stopWaiting() {
    this.waiting?.note.remove();
    this.waiting = null;
  }

  release() {
    const { submitter } = this.waiting;
    this.stopWaiting();
    this.form.requestSubmit(submitter);
  }
}
document.querySelectorAll("input[type=file][data-to]").forEach((input) => new Files(input));

// A form is sent once. The button is not disabled, so that its name and value still travel.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "1";
    const button = event.submitter || form.querySelector("button:not([type=button])");
    if (!button) return;
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
// Back from the next page, out of the browser's cache: the form may be sent again.
addEventListener("pageshow", (event) => event.persisted && document.querySelector("form[data-sent]") && location.reload());

if (!CSS.supports("field-sizing", "content")) {
  for (const area of document.querySelectorAll("textarea")) {
    area.addEventListener("input", () => {
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + 2}px`;
    });
  }
}
