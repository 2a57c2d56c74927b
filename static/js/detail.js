// An upload's page: waits for the worker, joins boxes and cards, takes corrections by click and
// key, zooms, leads to the neighbouring photos, and asks for heat maps without leaving the page.
import { fetchDocument, watchChanges } from "./changes.js";
import { correctable, renew } from "./photo/corrections.js";
import { boxOf, cardOf, filterFaces, joinFaces, open } from "./photo/faces.js";
import { drawable } from "./photo/draw.js";
import { listenToKeys } from "./photo/keys.js";
import { notify } from "./photo/notice.js";
import { keepInView } from "./photo/strip.js";
import { placeTags, showInFront } from "./photo/tags.js";
import { trashable } from "./selection.js";
import { zoomable } from "./photo/view.js";

/** How long a heat map may take before the button is offered again. */
const PATIENCE_MILLISECONDS = 60000;
const STRIP_ZOOM = 2.5;

const upload = document.getElementById("upload");
const isFinished = () => ["done", "failed"].includes(upload.dataset.status);
const isExplaining = () => upload.querySelector(".is-explaining") !== null;
const isWaiting = () => !isFinished() || isExplaining();
let isWatching = false;
let photo = null;

// The photo ---------------------------------------------------------------------------------

const frame = () => document.getElementById("photo");
const isStrip = () => frame().classList.contains("is-strip");

function redraw() {
  if (!isStrip()) placeTags(photo.svg);
  showInFront(photo.svg, isStrip() ? null : faces.selected());
}

function boxIn(face) {
  const line = boxOf(upload, face)?.querySelector(".face-line");
  const value = (name) => Number(line.getAttribute(name));
  return line && { x: value("x"), y: value("y"), width: value("width"), height: value("height") };
}

const faces = joinFaces(upload, {
  lit: (face) => { if (!isStrip()) showInFront(photo.svg, face); },
  selected: (face) => {
    showInFront(photo.svg, isStrip() ? null : face);
    if (face !== null && (isStrip() || photo.isZoomed())) follow(face);
  },
});
filterFaces(upload);

/** Bring a face's box into what is seen of the photo. */
function follow(face) {
  const box = boxIn(face);
  if (box && isStrip()) photo.showBox(box, Math.max(STRIP_ZOOM, Math.min(8, photo.whole.width / (box.width * 5))));
  else if (box) photo.showBox(box);
}

function go(step) {
  const link = document.querySelector(step > 0 ? 'a[rel="next"]' : 'a[rel="prev"]');
  if (link) location.assign(link.href);
}

function preparePhoto() {
  photo = zoomable(frame(), { changed: () => redraw(), swiped: go });
  keepInView(frame(), (strip) => {
    photo.fit();
    if (strip && faces.selected() !== null) follow(faces.selected());
  });
  drawable(frame(), { told: notify, whole: photo.whole });
  new ResizeObserver(redraw).observe(photo.svg);
}

// Corrections and keys ----------------------------------------------------------------------

const corrections = correctable(upload, () => redraw());

function press(event) {
  const { key } = event;
  const cards = upload.querySelectorAll(".face");
  // Where there is one face, there is nothing to choose.
  const selected = faces.selected() ?? (cards.length === 1 ? cards[0].dataset.face : null);
  const isOnPhoto = event.target.closest?.("#photo") !== null;
  if (/^\d$/.test(key) && selected !== null) {
    const choice = cardOf(upload, selected)?.querySelector(`.choice[data-key="${key}"]`);
    if (choice) corrections.correct(selected, choice.value);
    return Boolean(choice);
  }
  if (key.toLowerCase() === "z") {
    const face = corrections.undo();
    if (face !== null) faces.select(face);
    return true;
  }
  if (key === "Delete") upload.querySelector("form[data-trash]")?.requestSubmit();
  else if (key === "+" || key === "=") photo.zoomBy(photo.step);
  else if (key === "-") photo.zoomBy(1 / photo.step);
  else if (key === "Escape" && photo.isZoomed()) photo.fit();
  else if (key === "Escape" && faces.selected() !== null) faces.select(null);
  else if (key === "ArrowLeft" && photo.isZoomed() && isOnPhoto) photo.pan(-0.2, 0);
  else if (key === "ArrowRight" && photo.isZoomed() && isOnPhoto) photo.pan(0.2, 0);
  else if (key === "ArrowUp" && photo.isZoomed() && isOnPhoto) photo.pan(0, -0.2);
  else if (key === "ArrowDown" && photo.isZoomed() && isOnPhoto) photo.pan(0, 0.2);
  else if (key === "ArrowLeft") go(-1);
  else if (key === "ArrowRight") go(1);
  else return false;
  return true;
}
listenToKeys(press);

// Waiting for the worker --------------------------------------------------------------------

function prepare() {
  trashable(upload.querySelector("form[data-trash]"));
  preparePhoto();
  if (isWaiting()) watch();
}

function watch() {
  if (isWatching) return;
  isWatching = true;
  watchChanges(
    (id) => { if (id === upload.dataset.upload && isWaiting()) refresh(); },
    () => (isWaiting() ? [upload.dataset.upload] : []),
  );
}

/** This page's address with what is being explained, or without. */
function address(explaining = null) {
  const url = new URL(location.href);
  url.hash = ""; // Where the plain form was sent before this script was there.
  if (explaining === null) url.searchParams.delete("explaining");
  else url.searchParams.set("explaining", explaining);
  return url;
}

async function refresh() {
  const fresh = (await fetchDocument(location.href))?.getElementById("upload");
  if (!fresh) return;
  if (fresh.dataset.status !== upload.dataset.status) {
    upload.dataset.status = fresh.dataset.status;
    upload.dataset.explained = fresh.dataset.explained;
    upload.replaceChildren(...fresh.childNodes);
    prepare();
    return;
  }
  const before = new Set(upload.dataset.explained.split(" "));
  const explained = fresh.dataset.explained.split(" ").filter((index) => !before.has(index));
  upload.dataset.explained = fresh.dataset.explained;
  for (const face of explained.filter((index) => cardOf(upload, index))) {
    renew(upload, face, fresh);
    cardOf(upload, face).querySelector(".explanation")?.focus();
  }
  if (explained.length && !isExplaining()) history.replaceState(null, "", address());
}

upload.addEventListener("submit", (event) => {
  if (!event.target.matches("form.explain")) return;
  event.preventDefault();
  explain(event.target);
});

async function explain(form) {
  form.querySelector("button").disabled = true;
  const face = form.closest("[data-face]").dataset.face;
  let fresh = null;
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    fresh = answer.getElementById("upload");
    if (!response.ok || !cardOf(fresh, face)?.querySelector(".is-explaining, .explanation")) fresh = null;
  } catch { /* The plain form tells what is wrong. */ }
  if (!fresh) {
    form.submit();
    return;
  }
  history.replaceState(null, "", address(face));
  renew(upload, face, fresh);
  watch();
  refresh(); // The worker may have been faster than this page.
  setTimeout(() => { if (isExplaining()) location.replace(address()); }, PATIENCE_MILLISECONDS);
}

prepare();
const asked = /^#face-(\d+)$/.exec(location.hash);
if (asked && cardOf(upload, String(asked[1] - 1))) {
  open(upload, String(asked[1] - 1));
  faces.select(String(asked[1] - 1));
}
