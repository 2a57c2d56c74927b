// The review: the next face is there before it is asked for, an answer is shown at once and saved
// behind it, and one that could not be saved brings its face back.
import { fetchDocument } from "./changes.js";
import { listenToKeys } from "./photo/keys.js";
import { notify } from "./photo/notice.js";
import { post } from "./photo/post.js";

const stage = document.getElementById("review");
const ahead = document.getElementById("review-next");
const texts = document.getElementById("texts").dataset;
const current = () => stage.firstElementChild;

/** Faces shown before this one, and those of them that were answered, the last at the end. */
const shown = [];
const answered = [];
let left = Number(current().dataset.left);
let coming = null;
let isMoving = false;
/** The face whose answer failed while the next one was awaited. */
let staying = null;
let saving = Promise.resolve();

const load = async (url) => (await fetchDocument(url))?.getElementById("review")?.firstElementChild;

/** Fetch the face after this one with its pictures, where nobody sees it yet. */
function prefetch() {
  const from = current();
  coming = load(from.dataset.next).then((face) => {
    if (face && current() === from) ahead.replaceChildren(face);
    return face;
  });
}

function count() {
  const place = stage.querySelector("[data-count]");
  if (place) place.textContent = texts.left.replace("{number}", left);
}

function show(face) {
  stage.replaceChildren(face);
  count();
  history.replaceState(null, "", face.dataset.here);
  face.querySelector(".review-label").focus({ preventScroll: true });
  prefetch();
}

async function advance() {
  if (isMoving) return;
  isMoving = true;
  staying = null;
  const from = current();
  const face = await coming;
  // The end counts what is left, so everything must have arrived.
  if (!face?.dataset.face) await saving;
  if (staying === from) staying = null;
  // Another face is shown where an answer was taken back, or could not be saved, meanwhile.
  else if (current() !== from) {
    // It stays.
  } else if (face?.dataset.face) {
    shown.push(from);
    show(face);
  } else {
    location.assign(`${from.dataset.next}&done=${answered.at(-1)?.dataset.face ?? ""}`);
  }
  isMoving = false;
}

async function back() {
  const face = shown.pop() ?? (current().dataset.previous && await load(current().dataset.previous));
  if (face?.dataset.face) show(face);
}

function say(face, label) {
  left += (label ? 0 : 1) - (face.dataset.said ? 0 : 1);
  face.dataset.said = label;
  for (const choice of face.querySelectorAll(".choice[value]")) {
    choice.setAttribute("aria-pressed", String(choice.value === label));
  }
}

function save(face, label, before) {
  saving = saving.then(async () => {
    const { page, why } = await post(face.querySelector(".review-answers"), label);
    if (page) return;
    say(face, before);
    const at = answered.lastIndexOf(face);
    if (label && at >= 0) answered.splice(at, 1);
    if (current() !== face) {
      if (shown.includes(face)) shown.length = shown.indexOf(face);
      show(face);
    } else if (isMoving) staying = face;
    count();
    notify(texts.answerNotSaved.replace("{why}", why), null, true);
  });
}

function answer(choice) {
  const face = current();
  // Once an answer has failed, another counts, though the next face is still awaited.
  if ((isMoving && staying !== face) || !face.dataset.face) return;
  staying = null;
  const before = face.dataset.said;
  say(face, choice.value);
  answered.push(face);
  save(face, choice.value, before);
  notify(choice.dataset.name, { text: texts.undo, act: undo });
  advance();
}

function undo() {
  const face = answered.pop();
  if (!face) {
    const form = document.querySelector(".review-undo");
    if (form) form.submit();
    else notify(texts.nothingToUndo);
    return;
  }
  const before = face.dataset.said;
  say(face, "");
  save(face, "", before);
  if (shown.includes(face)) shown.length = shown.indexOf(face);
  show(face);
  notify(texts.takenBack);
}

stage.addEventListener("submit", (event) => {
  if (!event.target.matches(".review-answers") || !event.submitter) return;
  event.preventDefault();
  answer(event.submitter);
});

stage.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]")?.dataset.step;
  if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (step === "skip") advance();
  else back();
});

listenToKeys((event) => {
  const { key } = event;
  const isYes = (key === "Enter" || key === " ") && !event.target.closest?.("a, button, summary");
  const choice = isYes
    ? stage.querySelector(".choice.is-likeliest")
    : /^\d$/.test(key) && stage.querySelector(`.choice[data-key="${key}"]`);
  if (key.toLowerCase() === "z") undo();
  else if (!current().dataset.face || event.repeat) return false;
  else if (choice) answer(choice);
  else if (key.toLowerCase() === "s" || key === "ArrowRight") advance();
  else if (key === "ArrowLeft") back();
  else return false;
  return true;
});

if (current().dataset.face) prefetch();
