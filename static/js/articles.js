// An article's HTML stands in the textarea, for browsers without scripts; the editor takes it from there. Loaded before editor.js.
for (const area of document.querySelectorAll('textarea[data-editor="article"]')) {
  const rich = document.getElementById(area.dataset.html);
  rich.value ||= area.value;
}
