// <body data-idle="900">: a minute before an idle session ends, ask whether somebody is still there.
// Each answer of the server says in Idle-Left how many seconds remain; requests that a page makes by itself do not add any.
const WARN = 60;
const dialog = document.getElementById("idle");
let ends = Date.now() + 1000 * Number(document.body.dataset.idle);

const left = () => Math.ceil((ends - Date.now()) / 1000);
const hear = (seconds) => {
  if (!seconds) return;
  ends = Date.now() + 1000 * Number(seconds);
  if (left() > WARN && dialog.open) dialog.close();
};

document.addEventListener("htmx:afterRequest", ({ detail }) => hear(detail.xhr.getResponseHeader("Idle-Left")));
const stay = async () => {
  const body = new FormData(dialog.querySelector("form"));
  const answer = await fetch(dialog.dataset.stay, { method: "POST", body });
  if (answer.redirected) location.reload();
  else hear(answer.headers.get("Idle-Left"));
};
dialog.querySelector("[data-keep]").addEventListener("click", stay);
dialog.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });

setInterval(() => {
  if (left() < 0) location.replace(location.pathname + location.search);
  else if (left() <= WARN) {
    if (!dialog.open) dialog.showModal();
    dialog.querySelector("[data-countdown]").textContent = left();
  }
}, 1000);
