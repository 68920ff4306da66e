// <button data-copy="text" data-copied="Copied.">: puts the text on the clipboard, and says so where screen readers hear it.
const SHOWN = 2000;
const voice = document.createElement("span");
voice.className = "u-hidden";
voice.setAttribute("role", "status");
document.body.append(voice);

const copy = async (button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copy--done");
  voice.textContent = button.dataset.copied;
  setTimeout(() => {
    button.classList.remove("copy--done");
    voice.textContent = "";
  }, SHOWN);
};

// Where there is no clipboard (a page without TLS), the value is selected instead.
const select = (button) => getSelection().selectAllChildren(button.previousElementSibling);

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  if (navigator.clipboard) copy(button).catch(() => select(button));
  else select(button);
});
