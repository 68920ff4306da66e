// <button data-copy="text" data-copied="Copied">: put the text on the clipboard and say so.
addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.getAttribute("aria-label");
  button.setAttribute("aria-label", button.dataset.copied);
  button.classList.add("copy--done");
  setTimeout(() => {
    button.setAttribute("aria-label", label);
    button.classList.remove("copy--done");
  }, 2000);
});
