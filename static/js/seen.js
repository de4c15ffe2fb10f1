// A ticket's page says that it was looked at, so that its row is no longer bold. Once, and not from a tab that nobody sees.
const form = document.querySelector("form[data-seen]");

function tell() {
  if (document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", tell);
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", "seen"]) body.set(name, form.elements[name].value);
  // Lost on the way, the row stays bold until the next look.
  fetch(form.dataset.seen, { method: "POST", body, keepalive: true }).catch(() => {});
}

if (form) {
  document.addEventListener("visibilitychange", tell);
  tell();
}
