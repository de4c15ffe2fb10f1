// From one ticket of a list to the next, without going back to it: along what static/js/keys.js has kept of the list.
const nav = document.querySelector("[data-walk]");
const list = nav && JSON.parse(sessionStorage.getItem("walk") || "null");
const at = list ? list.paths.findIndex((path) => location.pathname.startsWith(path)) : -1;
if (at >= 0) {
  const link = (name) => nav.querySelector(`[data-walk-${name}]`);
  link("back").href = list.url;
  link("back").querySelector("span").textContent = list.title;
  nav.querySelector("[data-walk-at]").textContent = `${at + 1} / ${list.paths.length}`;
  for (const [name, path] of [["prev", list.paths[at - 1]], ["next", list.paths[at + 1]]]) {
    if (!path) continue;
    link(name).href = path;
    link(name).hidden = false;
  }
}
