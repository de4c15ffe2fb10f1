// Tells that somebody looks at this ticket, or writes, and shows who else does and what has happened since; counts down a reply that can still be taken back,
// and when it has gone shows what stands then.
// Every ten seconds while the tab is seen; at once when one begins or ends to write.
const place = document.querySelector("[data-presence]");
const news = document.querySelector("[data-news]");
const form = document.querySelector("form[data-draft-url]");
const leaving = document.querySelector("[data-leaves]");
const PERIOD = 10000;
const FRESH = 15000; // after the last key, one still writes
let timer;
let lastKey = 0;
let wasWriting = false;

const isWriting = () => Date.now() - lastKey < FRESH && form.elements.text.value.trim() !== "";

function body(more = {}) {
  const data = new FormData();
  for (const name of ["csrfmiddlewaretoken", "seen"]) data.set(name, form.elements[name].value);
  for (const [name, value] of Object.entries(more)) if (value) data.set(name, "1");
  return data;
}

async function tell() {
  clearTimeout(timer);
  if (document.visibilityState !== "visible") return;
  timer = setTimeout(tell, PERIOD);
  wasWriting = isWriting();
  const response = await fetch(place.dataset.presence, { method: "POST", body: body({ writing: wasWriting }) }).catch(() => null);
  const answer = response?.ok && response.headers.get("Content-Type")?.startsWith("application/json") ? await response.json() : null;
  if (answer) show(answer);
  return answer;
}

function show({ here, news: happened }) {
  const words = here.map((one) => one.words).join(" · ");
  write(place, words);
  form.querySelector("[data-present-too]").textContent = words;
  write(news, happened?.words || "");
  if (happened) news.querySelector("a").href = happened.url;
}

function write(element, words) {
  const said = element.querySelector("span");
  if (said.textContent !== words) said.textContent = words;
  element.hidden = !words;
}

form.addEventListener("input", () => {
  lastKey = Date.now();
  if (isWriting() !== wasWriting) tell();
});
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") tell();
  else navigator.sendBeacon(place.dataset.presence, body({ leaving: true }));
});
// What is being written is on the server before the page goes.
news.querySelector("a").addEventListener("click", (event) => {
  event.preventDefault();
  const { href } = event.currentTarget;
  form.dispatchEvent(new CustomEvent("draft:flush", { detail: { done: () => location.assign(href) } }));
});
tell();

if (leaving) {
  const state = leaving.querySelector("[data-leaving-state]");
  const until = Date.parse(leaving.dataset.leaves);
  const count = async () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (left > 0) state.textContent = state.dataset.counting.replace("#", left);
    else state.textContent = state.dataset.going;
    if (left > 0) return setTimeout(count, 1000);
    const answer = await tell();
    if (!answer || answer.waits) return setTimeout(count, 2000);
    await renew(state).catch(() => location.reload());
  };
  count();
}

// What the reply changed is shown where it stands; nothing of what one types meanwhile is touched.
async function renew(state) {
  const answer = await fetch(leaving.dataset.freshFrom);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const composer = page.querySelector("form[data-draft-url]");
  const isBack = composer.dataset.returned !== undefined && composer.dataset.draftVersion !== form.dataset.draftVersion;
  for (const part of document.querySelectorAll("[data-fresh]")) {
    part.replaceChildren(...page.querySelector(`[data-fresh="${part.dataset.fresh}"]`).childNodes);
  }
  for (const select of document.querySelectorAll(".property select")) select.value = page.getElementById(select.id).value;
  const seen = page.querySelector("[data-seen] [name=seen]").value;
  for (const field of document.querySelectorAll("input[name=seen]")) field.value = seen;
  state.setAttribute("role", "status"); // not before: it would count aloud
  state.textContent = isBack ? "" : state.dataset.gone;
  leaving.replaceChildren(state);
  if (isBack) state.append(Object.assign(document.createElement("a"), { href: leaving.dataset.freshFrom, textContent: state.dataset.back }));
  leaving.className = "small";
}
