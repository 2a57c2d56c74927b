// An upload's page: replaces its result when the worker has finished, joins boxes and cards, and
// asks for heat maps without leaving the page.
import { confirmForms, fetchDocument, postForm, watchChanges } from "./changes.js";

/** How long a heat map may take before the button is offered again. */
const PATIENCE_MILLISECONDS = 60000;

const upload = document.getElementById("upload");
const isFinished = () => ["done", "failed"].includes(upload.dataset.status);
const isExplaining = () => upload.querySelector(".is-explaining") !== null;
const isWaiting = () => !isFinished() || isExplaining();
let isWatching = false;

function joinFaces() {
  for (const element of upload.querySelectorAll("[data-face]")) {
    const pair = () => upload.querySelectorAll(`[data-face="${element.dataset.face}"]`);
    element.onpointerenter = () => pair().forEach((one) => one.classList.add("is-active"));
    element.onpointerleave = () => pair().forEach((one) => one.classList.remove("is-active"));
  }
}

/** Send a correction and show what came of it; the photo itself stays where it is. */
async function correct(event) {
  const form = event.target;
  if (!event.submitter) return;
  event.preventDefault();
  const face = form.closest("[data-face]").dataset.face;
  const fresh = await postForm(form, event.submitter);
  const now = fresh?.querySelector(`.face[data-face="${face}"]`);
  const old = upload.querySelector(`.face[data-face="${face}"]`);
  if (!now || !old) {
    location.reload();
    return;
  }
  old.dataset.label = now.dataset.label;
  old.querySelector(".face-words").replaceWith(now.querySelector(".face-words"));
  upload.querySelector(`.face-box[data-face="${face}"]`)
    ?.replaceWith(fresh.querySelector(`.face-box[data-face="${face}"]`));
  joinFaces();
  old.querySelector(".correction button")?.focus();
}

upload.addEventListener("submit", (event) => {
  if (event.target.matches(".correction")) correct(event);
});

function prepare() {
  joinFaces();
  confirmForms(upload);
  for (const form of upload.querySelectorAll("form.explain")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      explain(form);
    });
  }
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

function replace(fresh) {
  upload.dataset.status = fresh.dataset.status;
  upload.dataset.explained = fresh.dataset.explained;
  upload.replaceChildren(...fresh.childNodes);
  prepare();
}

async function refresh() {
  const fresh = (await fetchDocument(location.href))?.getElementById("upload");
  if (!fresh) return;
  const before = new Set(upload.dataset.explained.split(" "));
  const explained = fresh.dataset.explained.split(" ").find((index) => !before.has(index));
  if (fresh.dataset.status === upload.dataset.status && explained === undefined) return;
  replace(fresh);
  if (!isExplaining()) history.replaceState(null, "", location.pathname);
  upload.querySelector(`.face[data-face="${explained}"] .explanation`)?.focus();
}

async function explain(form) {
  form.querySelector("button").disabled = true;
  const face = form.closest("[data-face]").dataset.face;
  let fresh = null;
  try {
    const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    fresh = answer.getElementById("upload");
    if (!response.ok || !fresh?.querySelector(`.face[data-face="${face}"] :is(.is-explaining, .explanation)`)) {
      fresh = null;
    } else {
      history.replaceState(null, "", response.url);
    }
  } catch { /* The plain form tells what is wrong. */ }
  if (!fresh) {
    form.submit();
    return;
  }
  replace(fresh);
  refresh(); // The worker may have been faster than this page.
  setTimeout(() => { if (isExplaining()) location.replace(location.pathname); }, PATIENCE_MILLISECONDS);
}

prepare();
