// The boxes on a photo and their cards: which one is selected, lighting up together, the filter.

/** Everything on the page that belongs to a face: its box and its card. */
export const partsOf = (root, face) => root.querySelectorAll(`[data-face="${face}"]`);
export const cardOf = (root, face) => root.querySelector(`.face[data-face="${face}"]`);
export const boxOf = (root, face) => root.querySelector(`.face-box[data-face="${face}"]`);

/**
 * Join boxes and cards below an element, whatever becomes of its content.
 *
 * @param {HTMLElement} root
 * @param {{lit: (face: string | null) => void, selected: (face: string | null) => void}} told
 */
export function joinFaces(root, told) {
  let selected = null;
  const faceAt = (event) => event.target.closest?.("[data-face]")?.dataset.face ?? null;

  function mark(name, face) {
    root.querySelectorAll(`.${name}`).forEach((part) => part.classList.remove(name));
    if (face !== null) partsOf(root, face).forEach((part) => part.classList.add(name));
  }

  function light(face) {
    mark("is-lit", face);
    told.lit(face ?? selected);
  }

  function select(face) {
    if (face === selected && boxOf(root, face)?.classList.contains("is-selected")) return;
    selected = face;
    mark("is-selected", face);
    told.selected(face);
  }

  root.addEventListener("pointerover", (event) => light(faceAt(event)));
  root.addEventListener("pointerleave", () => light(null));
  root.addEventListener("focusin", (event) => {
    const face = faceAt(event);
    if (face === null) return;
    select(face);
    if (event.target.matches(".face-box:focus-visible")) {
      cardOf(root, face)?.scrollIntoView({ block: "nearest" });
    }
  });
  root.addEventListener("click", (event) => {
    const face = faceAt(event);
    if (face === null) return;
    select(face);
    const box = event.target.closest(".face-box");
    if (!box) return;
    event.preventDefault();
    open(root, face);
  });
  root.addEventListener("keydown", (event) => {
    const at = event.target.closest?.(".face-box, .face > summary");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!at || !step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const kind = at.matches(".face-box") ? ".face-box" : ".face > summary";
    const all = [...root.querySelectorAll(kind)].filter((one) => !one.closest("li[hidden]"));
    all[all.indexOf(at) + step]?.focus();
  });

  return { select, selected: () => selected, isShown: (face) => cardOf(root, face) !== null };
}

/** Open a face's card and bring it into view. */
export function open(root, face) {
  const card = cardOf(root, face);
  if (!card) return;
  card.open = true;
  card.closest("li").hidden = false;
  card.scrollIntoView({ block: "nearest" });
}

/** Show the cards and boxes of one expression only. */
export function filterFaces(root) {
  root.addEventListener("click", (event) => {
    const chip = event.target.closest("button[data-filter]");
    if (!chip) return;
    const wanted = chip.dataset.filter;
    for (const other of root.querySelectorAll("button[data-filter]")) {
      other.setAttribute("aria-pressed", String(other === chip));
    }
    for (const card of root.querySelectorAll(".face")) {
      const isShown = !wanted || card.dataset.filter === wanted;
      card.closest("li").hidden = !isShown;
      boxOf(root, card.dataset.face)?.classList.toggle("is-filtered-out", !isShown);
    }
  });
}
