// A list of people to tick some of: where they are many, a field that shows those whose name holds what is typed. The ticked ones stay in sight.
const MANY = 8;

for (const group of document.querySelectorAll("[data-people]")) {
  const labels = [...group.querySelectorAll("label")];
  const filter = group.querySelector(".people-filter");
  if (labels.length <= MANY) continue;
  filter.hidden = false;
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const label of labels) label.hidden = !label.textContent.toLowerCase().includes(wanted) && !label.querySelector("input").checked;
  });
  filter.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault()); // it is no answer to the form
}
