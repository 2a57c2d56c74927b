// What people say a face shows: shown at once, saved in turn, and taken back where that fails.
import { boxOf, cardOf } from "./faces.js";
import { notify } from "./notice.js";
import { post } from "./post.js";

const textOf = (name) => document.getElementById("texts").dataset[name];

/** Copy what the server wrote about a face, without closing its card or losing the focus. */
export function renew(root, face, fresh) {
  const card = cardOf(root, face);
  const now = cardOf(fresh, face);
  const focused = card.contains(document.activeElement) ? document.activeElement : null;
  const chosen = focused?.matches(".choice") ? focused.value : null;
  card.className = `${now.className}${card.classList.contains("is-selected") ? " is-selected" : ""}`;
  card.dataset.label = now.dataset.label;
  card.dataset.filter = now.dataset.filter;
  for (const part of ["summary", ".face-words"]) {
    card.querySelector(part).replaceChildren(...now.cloneNode(true).querySelector(part).childNodes);
  }
  if (chosen !== null) {
    (card.querySelector(`.choice[value="${chosen}"]`) ?? card.querySelector(".choice")).focus();
  }
  const box = boxOf(root, face);
  const drawn = boxOf(fresh, face)?.cloneNode(true);
  if (!box || !drawn) return;
  const states = [...box.classList].filter((name) => name.startsWith("is-") && name !== "is-no-face");
  box.setAttribute("class", [drawn.getAttribute("class"), ...states].join(" "));
  box.setAttribute("aria-label", drawn.getAttribute("aria-label"));
  box.replaceChildren(...drawn.childNodes);
}

/** What a face looks like now, to go back to. */
const snapshot = (root, face) => {
  const kept = document.createElement("div");
  kept.append(cardOf(root, face).cloneNode(true), boxOf(root, face)?.cloneNode(true) ?? "");
  return kept;
};

/** Show a choice before the server has heard of it. */
function showChoice(root, face, choice) {
  const card = cardOf(root, face);
  const box = boxOf(root, face);
  for (const part of [card, box]) {
    if (!part) continue;
    const others = [...part.classList].filter((name) => !name.startsWith("emotion-") && name !== "is-no-face");
    part.setAttribute("class", [...others, `emotion-${choice.value}`].join(" "));
  }
  box?.classList.toggle("is-no-face", choice.value === "not_a_face");
  const icon = choice.querySelector("use").getAttribute("href");
  card.querySelector(".face-name use").setAttribute("href", icon);
  card.querySelector(".face-name").lastChild.textContent = ` ${choice.dataset.name}`;
  card.querySelector("summary .bar")?.remove();
  card.querySelector(".face-share")?.remove();
  card.querySelectorAll(".choice").forEach((one) => {
    one.setAttribute("aria-pressed", String(one === choice));
  });
  box?.querySelector(".face-tag-label use").setAttribute("href", icon);
  if (box) box.querySelector(".face-tag-label text").textContent = choice.dataset.name;
}

/**
 * Correct faces below an element by their forms' buttons, or by call.
 *
 * @param {HTMLElement} root
 * @param {(face: string) => void} changed a face looks different now
 */
export function correctable(root, changed) {
  const done = [];
  const latest = new Map();
  let queue = Promise.resolve();

  function correct(face, label, { isUndo = false } = {}) {
    const card = cardOf(root, face);
    const form = card?.querySelector("form.correction");
    if (!form) return;
    const pressed = form.querySelector('.choice[aria-pressed="true"]');
    const before = pressed?.value ?? "";
    if (label === before) return;
    const kept = snapshot(root, face);
    const choice = label && form.querySelector(`.choice[value="${label}"]`);
    if (choice) showChoice(root, face, choice);
    changed(face);
    const turn = Symbol(face);
    latest.set(face, turn);
    const entry = { face, label: before };
    if (!isUndo) done.push(entry); // At once: it may be taken back before it is saved.
    const number = Number(face) + 1;
    const name = choice ? choice.dataset.name : "";
    queue = queue.then(async () => {
      const { page, why } = await post(form, label);
      const isLatest = latest.get(face) === turn;
      const fresh = page?.getElementById("upload");
      if (fresh && cardOf(fresh, face)) {
        if (isLatest) renew(root, face, fresh);
        renewFilter(root, fresh);
        notify(
          textOf(isUndo || !label ? "undone" : "saved").replace("{number}", number).replace("{name}", name),
          isUndo || !label ? null : { text: textOf("undo"), act: undo },
        );
      } else if (fresh) {
        location.reload(); // A spot that no longer counts as a face has no card.
        return;
      } else {
        if (isLatest) renew(root, face, kept);
        if (done.includes(entry)) done.splice(done.indexOf(entry), 1);
        notify(textOf("notSaved").replace("{number}", number).replace("{why}", why), null, true);
      }
      changed(face);
    });
  }

  function undo() {
    const last = done.pop();
    if (!last) {
      notify(textOf("nothingToUndo"));
      return null;
    }
    correct(last.face, last.label, { isUndo: true });
    return last.face;
  }

  root.addEventListener("submit", (event) => {
    if (!event.target.matches(".correction") || !event.submitter) return;
    event.preventDefault();
    correct(event.target.closest("[data-face]").dataset.face, event.submitter.value);
  });

  return { correct, undo };
}

/** The counts of the filter, with what is chosen there staying chosen. */
function renewFilter(root, fresh) {
  const now = fresh.querySelector(".face-filter");
  const old = root.querySelector(".face-filter");
  if (!now || !old) return;
  const chosen = old.querySelector('[aria-pressed="true"]')?.dataset.filter ?? "";
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.filter : null;
  old.replaceChildren(...now.childNodes);
  const find = (filter) => old.querySelector(`[data-filter="${filter}"]`);
  if (chosen && find(chosen)) {
    find("").setAttribute("aria-pressed", "false");
    find(chosen).setAttribute("aria-pressed", "true");
  }
  if (focused !== null) (find(focused) ?? find(""))?.focus();
}
