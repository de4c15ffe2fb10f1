// The queue, once somebody turns to it: ranges of ticked rows, and word of what is new, which never moves a row by itself.
const queue = document.querySelector("[data-module]");
const boxes = () => [...queue.querySelectorAll('input[name="ticket"]')];
const label = queue.querySelector("[data-selected]");
let last = null; // the box that was ticked before, where a range begins

function tell() {
  const chosen = boxes().filter((box) => box.checked).length;
  if (label) label.textContent = label.dataset.selected.replace("#", chosen);
  tellMerge(boxes().filter((box) => box.checked).map((box) => Number(box.value)));
  const all = queue.querySelector("[data-select-all]");
  if (!all) return;
  all.checked = chosen > 0 && chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
}

// One is merged into what is found then, of two the later into the earlier; more are merged on the page of the many.
function tellMerge(numbers) {
  const merge = queue.querySelector("[data-merge]");
  const [into, number] = numbers.length === 2 ? numbers.sort((a, b) => a - b) : [null, numbers[0]];
  merge.hidden = !number || numbers.length > 2;
  merge.href = merge.dataset.merge.replace("/0/", `/${number}/`) + (into ? `?into=${into}` : "");
}

queue.addEventListener("click", (event) => {
  const box = event.target.closest('input[name="ticket"]');
  if (box) {
    last ??= boxes().find((one) => one.checked && one !== box); // ticked before this script came
    const [from, to] = [boxes().indexOf(last), boxes().indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && from >= 0) for (const one of boxes().slice(from, to + 1)) one.checked = box.checked;
    last = box;
  } else if (event.target.matches("[data-select-all]")) {
    for (const one of boxes()) one.checked = event.target.checked;
  } else if (event.target.closest("[data-select-none]")) {
    for (const one of boxes()) one.checked = false;
  } else return;
  tell();
});

// --- What is new ---
const EACH = 20000; // milliseconds
const note = queue.querySelector("[data-live]");

function shown() {
  return boxes().map((box) => box.value);
}

async function look() {
  if (!note || document.visibilityState !== "visible" || !navigator.onLine) return;
  const address = new URL(note.dataset.live, location.href);
  address.searchParams.set("since", note.dataset.since);
  address.searchParams.set("shown", shown().join());
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    if (!answer.ok || !answer.headers.get("Content-Type").includes("json")) return clearInterval(timer); // logged out: nothing to ask any more
    const { words } = await answer.json();
    if (note.firstElementChild.textContent === words) return;
    note.firstElementChild.textContent = words;
    note.hidden = !words;
  } catch {
    // Offline for a moment: asked again the next time.
  }
}

const numberAt = (element) => element.closest("[data-row]")?.querySelector("input").value;
let stood = numberAt(document.activeElement); // the ticket whose row had the focus last
queue.addEventListener("focusin", (event) => (stood = numberAt(event.target) ?? stood));
const rowOf = (number) => boxes().find((box) => box.value === number)?.closest("[data-row]");
const topOf = (row) => row?.getBoundingClientRect().top;

// The parts of the page that show tickets come anew; what was ticked, where one stood and what one reads, stays.
async function renew() {
  const answer = await fetch(location.href);
  if (!answer.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const read = scrollY > 0 && shown().find((number) => topOf(rowOf(number)) >= 0);
  const top = topOf(rowOf(read));
  const chosen = new Set(boxes().filter((box) => box.checked).map((box) => box.value));
  for (const part of queue.querySelectorAll("[data-fresh]")) {
    const fresh = page.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
    if (!fresh) return location.reload();
    part.replaceChildren(...fresh.childNodes);
  }
  note.dataset.since = page.querySelector("[data-live]").dataset.since;
  note.hidden = true;
  note.firstElementChild.textContent = "";
  for (const box of boxes()) box.checked = chosen.has(box.value);
  last = null;
  tell();
  const row = rowOf(stood) || queue.querySelector("[data-row]");
  if (document.activeElement === document.body || note.contains(document.activeElement)) row?.querySelector("a[data-open]").focus({ preventScroll: true });
  if (rowOf(read)) scrollBy({ top: topOf(rowOf(read)) - top, behavior: "instant" });
  document.dispatchEvent(new Event("rows"));
}

note?.addEventListener("click", (event) => {
  if (!event.target.closest("a")) return;
  event.preventDefault();
  renew().catch(() => location.reload());
});
const timer = setInterval(look, EACH);
document.addEventListener("visibilitychange", look);
if (queue.querySelector("[data-select-all]")?.checked) for (const one of boxes()) one.checked = true; // ticked before this script came
tell();
