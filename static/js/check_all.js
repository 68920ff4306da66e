// <input type="checkbox" data-check-all>: tick or untick every box of the same form.
addEventListener("change", ({ target }) => {
  const form = target.form;
  if (!form) return;
  const boxes = [...form.querySelectorAll("tbody [type=checkbox]")];
  const all = form.querySelector("[data-check-all]");
  if (target === all) boxes.forEach((box) => { box.checked = all.checked; });
  else if (all && boxes.includes(target)) {
    all.checked = boxes.every((box) => box.checked);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  }
});
