// An upload's page: replaces its result when the worker has finished, and joins boxes and cards.
import { confirmForms, fetchDocument, watchChanges } from "./changes.js";

const upload = document.getElementById("upload");
const isFinished = () => ["done", "failed"].includes(upload.dataset.status);

function joinFaces() {
  for (const element of upload.querySelectorAll("[data-face]")) {
    const pair = upload.querySelectorAll(`[data-face="${element.dataset.face}"]`);
    for (const [event, isActive] of [["pointerenter", true], ["pointerleave", false]]) {
      element.addEventListener(event, () =>
        pair.forEach((one) => one.classList.toggle("is-active", isActive)));
    }
  }
}

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
