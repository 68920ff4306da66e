// <details class="menu">: close it by a click elsewhere, by Escape, and when one of its items was chosen.
const close = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};

addEventListener("click", ({ target }) => {
  close(target.closest(".menu__item") ? null : target.closest("details.menu"));
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    close();
    menu.querySelector("summary").focus();
  } else if (location.hash === "#menu") location.hash = "main";
});
