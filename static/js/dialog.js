// <dialog data-modal open>: a question that the page carries; with script it becomes modal. Escape goes back by its link.
const show = (root) => {
  for (const dialog of root.querySelectorAll("dialog[data-modal][open]:not(:modal)")) {
    dialog.close();
    dialog.showModal();
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      dialog.querySelector(".dialog__acts a[href]").click();
    });
  }
};

show(document);
document.addEventListener("htmx:afterSettle", () => show(document));
