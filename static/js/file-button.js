// Beside each button for files: the name of the file that is chosen, or how many.

/** @param {HTMLElement} button an `input type=file` and what is seen of it */
export function tellChosen(button) {
  const input = button.querySelector("input");
  const chosen = button.querySelector("[data-chosen]");
  const tell = () => {
    const { files } = input;
    // The server refuses it, too, but only once it has come.
    const isTooLarge = [...files].some((file) => file.size > Number(input.dataset.most || Infinity));
    input.setCustomValidity(isTooLarge ? input.dataset.tooLarge : "");
    if (isTooLarge) input.reportValidity();
    chosen.textContent = files.length > 1
      ? chosen.dataset.many.replace("{number}", files.length)
      : files[0]?.name ?? "";
  };
  // On its way down to the input: the upload page empties it as soon as it has the files.
  button.addEventListener("change", tell, { capture: true });
  addEventListener("pageshow", tell); // Going back, the browser chooses again what was chosen.
}

for (const button of globalThis.document?.querySelectorAll(".file-button") ?? []) tellChosen(button);
