// Writing: chosen files with limits told before the upload, sent once, Ctrl+Enter, a textarea that grows.
function tell(list, text) {
  const item = document.createElement("li");
  item.className = "errorlist";
  item.setAttribute("role", "alert");
  item.textContent = text;
  list.append(item);
}

function inWords(bytes) {
  const unit = bytes < 1e6 ? ["kilobyte", 1024] : ["megabyte", 1048576];
  const format = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: unit[0], maximumFractionDigits: 1 });
  return format.format(bytes / unit[1]);
}

// The files stay in the native control, which therefore sends them; the list shows them and takes some out.
function listFiles(input) {
  const list = document.querySelector(`[data-chosen="${CSS.escape(input.id)}"]`);
  if (!list) return;
  const maxFiles = Number(input.dataset.maxFiles) || Infinity;
  const maxBytes = Number(input.dataset.maxBytes) || Infinity;
  let kept = [];
  const show = () => {
    const transfer = new DataTransfer();
    for (const file of kept) transfer.items.add(file);
    input.files = transfer.files;
    list.replaceChildren();
    for (const file of kept) {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "clip";
      name.textContent = `${file.name} (${inWords(file.size)})`;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${input.dataset.remove} ${file.name}`);
      remove.addEventListener("click", () => {
        kept = kept.filter((other) => other !== file);
        show();
        input.focus();
      });
      item.append(name, remove);
      list.append(item);
    }
  };
  input.addEventListener("change", () => {
    const isKept = (file) => kept.some((other) => other.name === file.name && other.size === file.size);
    const fresh = [...input.files].filter((file) => !isKept(file));
    const large = fresh.filter((file) => file.size > maxBytes);
    const all = [...kept, ...fresh.filter((file) => file.size <= maxBytes)];
    kept = all.slice(0, maxFiles);
    show();
    for (const file of large) tell(list, `${file.name} ${input.dataset.big}`);
    if (all.length > maxFiles) tell(list, input.dataset.many);
  });
}
document.querySelectorAll("input[type=file]").forEach(listFiles);

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
