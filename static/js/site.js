// Every page: the theme choice, menus that close, fresh times, selects that post their form. All of it works without, only less comfortably.
const root = document.documentElement;

// The server renders the theme from the cookie, so there is no flash; here it is only chosen.
for (const group of document.querySelectorAll("[data-theme-choice]")) {
  group.hidden = false;
  group.addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (!chosen) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${chosen.value}; Path=/; SameSite=Lax; Max-Age=${chosen.value ? 31536000 : 0}${secure}`;
    if (chosen.value) root.dataset.bsTheme = chosen.value;
    else delete root.dataset.bsTheme;
    for (const button of group.children) button.setAttribute("aria-pressed", String(button === chosen));
  });
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Same words and steps as helpdesk/templatetags/when.py; older times don't change any more.
const [now, minutes, hours, days] = (document.body.dataset.ago || "").split("|");
function ago(seconds) {
  if (seconds < 60) return now;
  if (seconds < 3600) return minutes.replace("#", Math.floor(seconds / 60));
  if (seconds < 2 * 86400) return hours.replace("#", Math.floor(seconds / 3600));
  return days.replace("#", Math.floor(seconds / 86400));
}
// What as_time (tickets/templatetags/when.py) shows: not what is due, nor what a story says to the minute.
function freshen() {
  for (const time of document.querySelectorAll("time[title][aria-label]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    if (seconds < 0 || seconds >= 7 * 86400) continue;
    const words = ago(seconds);
    if (words === time.textContent) continue;
    time.textContent = words;
    time.setAttribute("aria-label", `${words}, ${time.title}`);
  }
}
setInterval(freshen, 30000);

// Save buttons beside such selects keep their place: hiding them moves nothing.
for (const select of document.querySelectorAll("select[data-autosubmit]")) {
  const form = select.form;
  for (const button of form.elements) if (button.matches("[data-autosubmit-save]")) button.classList.add("is-needless");
  select.addEventListener("change", () => {
    if (select.matches(":focus-visible")) sessionStorage.setItem("chose", select.name);
    form.requestSubmit();
  });
}
// Who chose by keys goes on from there, where the next page asks for nothing else.
const chose = sessionStorage.getItem("chose");
sessionStorage.removeItem("chose");
if (chose && !document.querySelector("[autofocus]")) document.querySelector(`select[data-autosubmit][name="${chose}"]`)?.focus();
// A box beside such a select sends what is chosen; of nothing chosen there is nothing to send yet.
for (const box of document.querySelectorAll("input[data-autosubmit]")) {
  box.addEventListener("change", () => box.checked && box.form.querySelector("select").value && box.form.requestSubmit());
}

// What opens at the foot of a column that scrolls comes into view, and one writes at once.
for (const summary of document.querySelectorAll("details.sharing > summary")) {
  const part = summary.parentElement;
  summary.addEventListener("click", () => {
    if (part.open) return; // it is about to close
    requestAnimationFrame(() => {
      part.querySelector("select, input:not([type=hidden])")?.focus({ preventScroll: true });
      part.scrollIntoView({ block: "nearest" });
    });
  });
}
