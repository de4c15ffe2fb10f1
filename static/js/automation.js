// The form of a rule: lines that are empty are put away and offered in a list, and the fields of a time show with rules on time alone.
// Without this, all lines are there, and what is filled in counts.
const ON_TIME = ["age", "unanswered", "in_status", "before_due", "after_due"];
const form = document.querySelector("[data-rule]");

function clear(line) {
  for (const field of line.querySelectorAll("input, select, textarea")) {
    if (field.type === "checkbox") field.checked = false;
    else if (field.tagName === "SELECT") field.selectedIndex = 0;
    else field.value = "";
  }
}

function putAway(part) {
  const lines = [...part.querySelectorAll(":scope > [data-line]")];
  const offer = document.createElement("select");
  offer.className = "rule-add";
  offer.setAttribute("aria-label", part.dataset.lines);
  const refresh = () => {
    offer.replaceChildren(new Option(part.dataset.lines + " …", ""));
    lines.forEach((line, at) => line.hidden && offer.add(new Option(line.dataset.line, at)));
    offer.hidden = offer.options.length === 1;
  };
  for (const line of lines) {
    line.hidden = !("filled" in line.dataset);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "btn btn-icon btn-small btn-quiet rule-remove";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `${form.dataset.remove} ${line.dataset.line}`);
    remove.addEventListener("click", () => {
      clear(line);
      line.hidden = true;
      refresh();
      offer.focus();
    });
    line.append(remove);
  }
  offer.addEventListener("change", () => {
    const line = lines[offer.value];
    if (!line) return;
    line.hidden = false;
    refresh();
    line.querySelector("input, select, textarea").focus();
  });
  part.append(offer);
  refresh();
}

for (const part of form.querySelectorAll("[data-lines]")) putAway(part);

// A line that one took and left empty would count as not there, and the rule would hold for more than was meant.
const counts = (field) => (field.type === "checkbox" ? field.checked : field.value !== "" && !field.name.startsWith("not_"));
form.addEventListener("submit", (event) => {
  for (const line of form.querySelectorAll("[data-line]:not([hidden])")) {
    const fields = [...line.querySelectorAll("input[name], select[name], textarea[name]")];
    if (fields.some(counts)) continue;
    event.preventDefault();
    const first = fields.find((field) => !field.name.startsWith("not_"));
    first.setCustomValidity(form.dataset.empty);
    line.addEventListener("input", () => first.setCustomValidity(""), { once: true });
    first.reportValidity();
    return;
  }
});

const when = form.elements.when;
function showTime() {
  for (const each of form.querySelectorAll("[data-on-time]")) each.hidden = !ON_TIME.includes(when.value);
}
when.addEventListener("change", showTime);
showTime();
