// Tickets like the one that is written, or shown. [data-related] is where to ask; [data-related-source] names the fields: then it asks 400 ms after the
// last key, for three words or more, and gives up the question before. Without fields it asks once.
const PAUSE = 400;
const MOST = 20000; // characters that the server reads

const countWords = (text) => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu)).size;

// Whoever is reading one of them goes on reading it.
function show(panel, html) {
  const found = panel.querySelector("[data-related-found]");
  const open = [...found.querySelectorAll("details[open]")].map((one) => one.dataset.number);
  const focused = found.contains(document.activeElement) && document.activeElement.closest("details")?.dataset.number;
  found.innerHTML = html;
  for (const one of found.querySelectorAll("details")) {
    one.open = open.includes(one.dataset.number);
    if (one.dataset.number === focused) one.querySelector("summary").focus();
  }
  const said = panel.querySelector("[data-related-said]");
  if (said) said.textContent = found.querySelector("[data-said]")?.dataset.said ?? "";
}

async function load(panel, options) {
  try {
    const response = await fetch(panel.dataset.related, { ...options, redirect: "error" });
    if (response.status === 200) show(panel, await response.text());
  } catch {
    // Given up, or no network: what stands there stays.
  }
}

function follow(panel, fields) {
  const nothing = panel.querySelector("[data-related-found]").innerHTML;
  let timer;
  let asking;
  let last = "";
  const ask = () => {
    const [subject, text] = fields.map((field) => field.value.slice(0, MOST));
    const question = `${subject}\n${text}`.trim();
    if (question === last) return;
    last = question;
    asking?.abort();
    if (countWords(question) < 3) return show(panel, nothing);
    asking = new AbortController();
    const token = fields[0].form.elements.csrfmiddlewaretoken.value;
    load(panel, { method: "POST", body: new URLSearchParams({ subject, text, csrfmiddlewaretoken: token }), signal: asking.signal });
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  };
  for (const field of fields) field.addEventListener("input", soon);
  soon(); // for what a draft or an error brought back
}

for (const panel of document.querySelectorAll("[data-related]")) {
  panel.hidden = false;
  const names = panel.dataset.relatedSource?.split(" ") ?? [];
  const fields = names.map((name) => document.getElementById(name));
  if (fields.length) follow(panel, fields);
  else load(panel, {});
}
