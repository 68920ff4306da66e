// The body of a campaign. Tools of the rich editor (data-tool) and merge tags (data-insert), in either mode.
const code = document.querySelector("textarea[data-code]");
const dialog = document.getElementById("link-dialog");
let rich;

const TOOLS = {
  bold: (chain) => chain.toggleBold(),
  italic: (chain) => chain.toggleItalic(),
  heading: (chain) => chain.toggleHeading({ level: 2 }),
  bulletList: (chain) => chain.toggleBulletList(),
  orderedList: (chain) => chain.toggleOrderedList(),
  undo: (chain) => chain.undo(),
  redo: (chain) => chain.redo(),
};

const show = () => {
  for (const button of document.querySelectorAll("[data-tool]")) {
    const { tool } = button.dataset;
    if (tool !== "undo" && tool !== "redo") button.setAttribute("aria-pressed", rich.isActive(tool));
  }
};

const ask = () => {
  const field = dialog.querySelector("input");
  field.value = rich.getAttributes("link").href ?? "";
  dialog.returnValue = "";
  dialog.showModal();
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "set") return;
    const chain = rich.chain().focus().extendMarkRange("link");
    (field.value ? chain.setLink({ href: field.value }) : chain.unsetLink()).run();
  }, { once: true });
};

const insert = (tag) => {
  const gap = tag.indexOf('""') + 1; // the caret goes between the quotes of an empty default
  if (rich) {
    rich.chain().focus().insertContent({ type: "text", text: tag }).run();
    if (gap) rich.commands.setTextSelection(rich.state.selection.from - tag.length + gap);
    return;
  }
  const start = code.selectionStart;
  code.setRangeText(tag, start, code.selectionEnd, "end");
  code.focus();
  if (gap) code.setSelectionRange(start + gap, start + gap);
  code.dispatchEvent(new Event("input", { bubbles: true }));
};

const text = document.querySelector("textarea[data-rich]");
if (text) {
  const { createEditor } = await import("django-prose-editor/configurable");
  rich = await createEditor(text, JSON.parse(text.dataset.rich));
  rich.setOptions({ editorProps: { attributes: { "aria-multiline": "true", "aria-labelledby": "body-title" } } });
  rich.on("transaction", show);
  rich.on("update", () => text.dispatchEvent(new Event("input", { bubbles: true })));
  show();
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-tool], [data-insert]");
  if (!button) return;
  const { tool, insert: tag } = button.dataset;
  if (tag) insert(tag);
  else if (tool === "link") ask();
  else if (rich) TOOLS[tool](rich.chain().focus()).run();
});
