// An upload's page: replaces its result when the worker has finished, and joins boxes and cards.
import { confirmForms, fetchDocument, postForm, watchChanges } from "./changes.js";

const upload = document.getElementById("upload");
const isFinished = () => ["done", "failed"].includes(upload.dataset.status);

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
}

async function refresh() {
  const fresh = (await fetchDocument(location.href))?.getElementById("upload");
  if (!fresh || fresh.dataset.status === upload.dataset.status) return;
  upload.dataset.status = fresh.dataset.status;
  upload.replaceChildren(...fresh.childNodes);
  prepare();
}

prepare();
if (!isFinished()) {
  watchChanges(
    (id) => { if (id === upload.dataset.upload && !isFinished()) refresh(); },
    () => (isFinished() ? [] : [upload.dataset.upload]),
  );
}
