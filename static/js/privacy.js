// Privacy & data: asks before deleting, and follows an export that is being prepared.
import { confirmForms, fetchDocument, watchChanges } from "./changes.js";

const place = () => document.getElementById("export");
const isWaiting = () => ["pending", "processing"].includes(place().dataset.status);

async function refresh() {
  const fresh = (await fetchDocument(location.href))?.getElementById("export");
  if (!fresh) return;
  const bar = place().querySelector("progress");
  const now = fresh.querySelector("progress");
  if (bar && now && fresh.dataset.export === place().dataset.export) {
    bar.value = now.value; // The rest is the same, and a button in it may have the focus.
    return;
  }
  place().replaceWith(fresh);
  confirmForms(fresh);
  fresh.querySelector("a.btn")?.focus();
}

confirmForms();
if (isWaiting()) {
  watchChanges(
    (id) => { if (isWaiting() && id === place().dataset.export) refresh(); },
    () => (isWaiting() ? [place().dataset.export] : []),
  );
}
