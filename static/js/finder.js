// A dialog (components/finder.html) that finds as one types: the combobox of the ARIA Authoring Practices. `address` is asked with ?q= and answers with options;
// `choose` is given the option that was chosen. Returns what opens it.
export function finder(dialog, { address, choose }) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  let asked = 0;
  let timer;
  let answered = null; // the words that the list is of
  const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];

  function mark(option) {
    for (const other of options()) other.setAttribute("aria-selected", String(other === option));
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  async function find() {
    const mine = ++asked;
    const url = new URL(address, location.href);
    const words = input.value;
    url.searchParams.set("q", words);
    const response = await fetch(url).catch(() => null);
    const found = response?.ok ? await response.text() : null;
    if (mine !== asked || found === null) return; // a newer question is on its way, or the list stays as it is
    list.innerHTML = found;
    answered = words;
    mark(options()[0]);
  }

  function take(option) {
    dialog.close();
    choose(option);
  }

  // Who is quicker than the answer means what they typed, and not what the list still shows.
  async function takeFirst() {
    clearTimeout(timer);
    await find();
    const [first] = options();
    if (answered === input.value && first && dialog.open) take(first);
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 200);
  });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key.startsWith("Arrow") && !all.length) return;
    if (event.key === "ArrowDown") mark(all[(at + 1) % all.length]);
    else if (event.key === "ArrowUp") mark(all[(at - 1 + all.length) % all.length]);
    else if (event.key === "Enter" && answered !== input.value) takeFirst();
    else if (event.key === "Enter" && at >= 0) take(all[at]);
    else if (event.key !== "Enter") return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]:not([aria-disabled])");
    if (option) take(option);
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());

  return () => {
    input.value = "";
    answered = null;
    dialog.showModal();
    input.focus();
    find();
  };
}
