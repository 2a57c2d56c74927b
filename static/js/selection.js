// Ticked photos: all at once, a range with Shift, and buttons that wait for the first one.

/**
 * @param {HTMLFormElement | null} form with the buttons; the boxes belong to it
 * @returns {{chosen: () => HTMLInputElement[], changed: () => void, added: () => void}} what is
 *   ticked, and what to call after boxes went, or came
 */
export function selectable(form) {
  const boxes = () => [...document.querySelectorAll('input[name="upload"]')];
  const chosen = () => boxes().filter((box) => box.checked);
  const everything = form?.querySelector('input[name="all"]');
  const all = document.getElementById("select-all");
  let last = null;

  function changed() {
    const isAny = chosen().length > 0 || Boolean(everything?.checked);
    for (const button of form?.querySelectorAll('[name="action"]') ?? []) button.disabled = !isAny;
    const words = form?.querySelector("[data-count-chosen]");
    if (words) {
      const number = everything?.checked ? 0 : chosen().length;
      words.textContent = number ? words.dataset.text.replace("{number}", number) : "";
    }
  }

  // All that match are more than this page shows; a box that is cleared means: not all of them.
  everything?.addEventListener("change", () => {
    for (const box of boxes()) box.checked = everything.checked;
  });

  /** All that match are chosen as they come, too. */
  function added() {
    if (everything?.checked) for (const box of boxes()) box.checked = true;
    changed();
  }

  all?.addEventListener("click", () => {
    const isOn = !boxes().every((box) => box.checked);
    for (const box of boxes()) box.checked = isOn;
    if (everything && !isOn) everything.checked = false;
    changed();
  });
  document.addEventListener("click", (event) => {
    const box = event.target.closest?.('input[name="upload"]');
    if (!box) return;
    const [from, to] = [boxes().indexOf(last), boxes().indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && last && from >= 0) {
      for (const between of boxes().slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
    if (everything && !box.checked) everything.checked = false;
    changed();
  });
  document.addEventListener("change", changed);
  addEventListener("pageshow", changed); // Going back, the browser ticks again what was ticked.
  return { chosen, changed, added };
}

/** A form that moves photos to the trash needs no question first: it can be undone. */
export function trashable(form) {
  form?.addEventListener("submit", (event) => {
    form.querySelector('[name="sure"]')?.remove();
    if (event.submitter?.value === "retry") return;
    const sure = Object.assign(document.createElement("input"), { type: "hidden", name: "sure", value: "yes" });
    form.append(sure);
  });
}
