// The history: selects, deletes, and keeps unfinished cards up to date.
import { fetchDocument, watchChanges } from "./changes.js";
import { Endless } from "./endless.js";
import { selectable, trashable } from "./selection.js";

const selection = selectable(document.getElementById("selection"));
trashable(document.querySelector("#selection[data-trash]"));

// What is chosen from a list applies at once; what is typed waits for its button.
const filter = document.getElementById("filter");
for (const list of filter?.querySelectorAll("select") ?? []) {
  list.addEventListener("change", () => filter.requestSubmit());
}

const cards = () => [...document.querySelectorAll("[data-upload]")];
const waiting = () => cards()
  .filter((card) => ["pending", "processing"].includes(card.dataset.status))
  .map((card) => card.dataset.upload);

let isFetching = false;
let isOutdated = false;
async function refresh() {
  isOutdated = true;
  if (isFetching) return;
  isFetching = true;
  while (isOutdated) {
    isOutdated = false; // A change told while the page is on its way may not be in it.
    for (const url of endless?.pages ?? [location.href]) {
      if (waiting().length) replaceCards(await fetchDocument(url));
    }
  }
  isFetching = false;
}

function replaceCards(fresh) {
  for (const id of fresh ? waiting() : []) {
    const now = fresh.querySelector(`[data-upload="${id}"]`);
    const old = document.querySelector(`[data-upload="${id}"]`);
    if (!now || now.dataset.status === old.dataset.status) continue;
    const isChecked = old.querySelector("input")?.checked ?? false;
    old.replaceWith(now);
    const box = now.querySelector("input");
    if (box) box.checked = isChecked;
  }
}

let isWatching = false;
function watch() {
  if (isWatching || !waiting().length) return;
  isWatching = true;
  watchChanges((id) => { if (waiting().includes(id)) refresh(); }, waiting);
}

watch();
const gallery = document.getElementById("gallery");
const endless = gallery && new Endless(gallery, document.getElementById("shown"), () => {
  selection.added();
  watch();
});
