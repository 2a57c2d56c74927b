// The upload page: many files at once, each with its own progress and its own answer.
import { watchChanges } from "./changes.js";
import { dropped, sort } from "./folders.js";
import { offerShared } from "./offer.js";
import { percent } from "./percent.js";
import { forget, keep, left, newKey } from "./unsent.js";
import { filesIn, isZip } from "./zip.js";

const form = document.getElementById("upload-form");
const input = document.getElementById("images");
const folder = document.getElementById("folder");
const folderNote = document.getElementById("folder-note");
/** What a photo is, by its type or name; archives may be chosen as well, but hold no archives. */
const photoTypes = input.accept;
input.accept += ",.zip,application/zip";
const camera = document.getElementById("camera");
const dropZone = document.getElementById("drop-zone");
const queue = document.getElementById("queue");
const summary = document.getElementById("queue-summary");
const retryAll = document.getElementById("retry-all");
const announcer = document.getElementById("announcer");
const texts = document.getElementById("texts").dataset;
const maximumBytes = Number(form.dataset.maximumBytes);
const PARALLEL = 3;
/** Stands for the id in the address of a photo's page. */
const ANY_ID = "00000000-0000-0000-0000-000000000000";

/** Who the photos belong to; what is kept for the next visit is kept for them alone. */
const owner = document.body.dataset.user;

/** Id of an accepted upload to its line on the page. */
const lines = new Map();
/** Photos on their way, as `{ file, line, key, isWantedTwice }`, the oldest first. */
const waitingToSend = [];
let sending = 0;
/** Until then (in milliseconds of Date.now) the server wants to hear of no more photos. */
let pausedUntil = 0;

function show(line, text, isRefused = false) {
  line.querySelector(".queue-state").textContent = text;
  line.classList.toggle("is-refused", isRefused);
}

/** Of many photos, how far they are; of one, its own line says it. */
function finish(line) {
  line.dataset.finished = "";
  summarise();
}

const count = (selector) => queue.querySelectorAll(selector).length;
const unsent = () => waitingToSend.length + sending;

function summarise() {
  const all = queue.children.length;
  const failed = count(".is-refused");
  const parts = [texts.summary.replace("{finished}", count("[data-finished]")).replace("{all}", all)];
  if (failed) parts.push(texts.failed.replace("{failed}", failed));
  if (unsent()) parts.push(texts.left.replace("{left}", unsent()));
  summary.hidden = all < 2 && !unsent();
  summary.textContent = parts.join(" · ");
  retryAll.hidden = count(".can-retry") < 2;
}

function refuse(line, reason) {
  line.classList.add("is-sent");
  show(line, reason, true);
  finish(line);
  announcer.textContent = `${line.querySelector(".queue-name").textContent}: ${reason}`;
}

/** Not the photo's fault: it stays kept, and can be sent again. */
function refuseForNow(photo, reason) {
  const button = photo.line.querySelector(".queue-retry");
  photo.line.classList.add("can-retry");
  button.hidden = false;
  button.onclick = () => retry(photo);
  refuse(photo.line, reason);
}

function retry(photo) {
  photo.line.classList.remove("is-sent", "can-retry");
  photo.line.querySelector(".queue-retry").hidden = true;
  delete photo.line.dataset.finished;
  show(photo.line, texts.waiting);
  waitingToSend.push(photo);
  sendNext();
}

function linkTo(line, page) {
  const link = line.querySelector(".queue-link");
  link.href = page;
  link.hidden = false;
}

/** The same file is there as upload `id`, so that nothing is lost if nobody answers. */
function askAboutDuplicate(photo, id) {
  const { line, file } = photo;
  const choice = line.querySelector(".queue-duplicate");
  forget(photo.key);
  line.classList.add("is-sent");
  linkTo(line, form.dataset.page.replace(ANY_ID, id));
  show(line, texts.duplicate);
  choice.hidden = false;
  // The focus was on a button that is gone.
  const goOn = () => (queue.querySelector(".queue-duplicate:not([hidden]) button") ?? input).focus();
  choice.querySelector(".queue-anyway").onclick = () => {
    choice.hidden = true;
    line.querySelector(".queue-link").hidden = true;
    Object.assign(photo, { key: newKey(), isWantedTwice: true });
    keep(owner, photo.key, file);
    retry(photo);
    goOn();
  };
  choice.querySelector(".queue-skip").onclick = () => {
    line.remove();
    summarise();
    goOn();
  };
  finish(line);
  announcer.textContent = `${line.querySelector(".queue-name").textContent}: ${texts.duplicate}`;
}

function add(file, key = newKey()) {
  const line = document.getElementById("queue-item").content.firstElementChild.cloneNode(true);
  line.querySelector(".queue-name").textContent = file.name || texts.unnamed;
  queue.append(line);
  if (file.size === 0) return refuse(line, texts.empty);
  if (file.size > maximumBytes) return refuse(line, texts.large);
  const picture = line.querySelector("img");
  const url = URL.createObjectURL(file);
  picture.addEventListener("load", () => URL.revokeObjectURL(url));
  picture.addEventListener("error", () => { URL.revokeObjectURL(url); picture.hidden = true; });
  picture.src = url;
  show(line, texts.waiting);
  waitingToSend.push({ file, line, key });
  keep(owner, key, file);
  sendNext();
}

function sendNext() {
  summarise();
  const pause = pausedUntil - Date.now();
  if (pause > 0) {
    setTimeout(sendNext, pause);
    return;
  }
  while (sending < PARALLEL && waitingToSend.length) {
    sending += 1;
    send(waitingToSend.shift()).finally(() => { sending -= 1; sendNext(); });
  }
}

function send(photo) {
  const { file, line, key } = photo;
  return new Promise((resolve) => {
    const body = new FormData();
    body.append("image", file, file.name || "pasted.png");
    // XMLHttpRequest, because fetch() does not tell how much of the body has been sent.
    const request = new XMLHttpRequest();
    request.open("POST", form.dataset.api + (photo.isWantedTwice ? "" : "?duplicates=reject"));
    request.responseType = "json";
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("Idempotency-Key", key);
    show(line, texts.sending);
    request.upload.addEventListener("progress", (event) => {
      line.querySelector("progress").value = event.loaded / event.total;
    });
    request.addEventListener("load", () => {
      const code = request.response?.code;
      if (request.status === 201) {
        forget(key);
        line.classList.add("is-sent");
        const upload = request.response;
        lines.set(upload.id, line);
        line.dataset.status = upload.status;
        linkTo(line, upload.links.page);
        update(upload);
      } else if (code === "duplicate") {
        askAboutDuplicate(photo, request.response.duplicate_of);
      } else if (["throttled", "busy", "request_in_progress"].includes(code)) {
        pausedUntil = Date.now() + 1000 * Number(request.getResponseHeader("Retry-After") || 1);
        show(line, texts.waiting);
        waitingToSend.unshift(photo);
      } else if ([401, 403].includes(request.status) && code !== "quota_exceeded") {
        refuseForNow(photo, texts.signedOut);
      } else if (request.status >= 500 || !request.response?.detail) {
        refuseForNow(photo, request.response?.detail ?? texts.lost);
      } else {
        forget(key);
        refuse(line, request.response.detail);
      }
    });
    request.addEventListener("error", () => refuseForNow(photo, texts.lost));
    request.addEventListener("loadend", resolve);
    request.send(body);
  });
}

function expression(face) {
  const name = (label) => texts[label] ?? label;
  if (!face.uncertain) return `${name(face.label)} ${percent(face.confidence)}`;
  const [first, second] = Object.keys(face.probabilities)
    .sort((one, other) => face.probabilities[other] - face.probabilities[one]);
  return texts.unsure.replace("{first}", name(first)).replace("{second}", name(second));
}

function update(upload) {
  const line = lines.get(upload.id);
  line.dataset.status = upload.status;
  if (upload.status === "pending" || upload.status === "processing") {
    show(line, texts[upload.status]);
    return;
  }
  if (upload.status === "failed") {
    refuse(line, upload.error.detail);
    return;
  }
  finish(line);
  const state = line.querySelector(".queue-state");
  const faces = upload.faces.filter((face) => !face.rejected);
  state.replaceChildren(...faces.map((face) => {
    const badge = document.createElement("span");
    badge.className = `badge me-1 emotion-${face.uncertain ? "unsure" : face.label}`;
    badge.textContent = expression(face);
    return badge;
  }));
  if (!faces.length) state.textContent = texts.none;
  announcer.textContent = `${upload.name}: ${state.textContent}`;
}

async function refresh(id) {
  try {
    const response = await fetch(`${form.dataset.api}${id}/`, { headers: { Accept: "application/json" } });
    if (response.ok) update(await response.json());
  } catch { /* The next hint or poll asks again. */ }
}

/** Those that will be finished next: asking for all of a thousand would be too much. */
const waiting = () => [...lines.keys()]
  .filter((id) => ["pending", "processing"].includes(lines.get(id).dataset.status))
  .slice(0, 10);

function addAll(files) {
  folderNote.textContent = "";
  for (const file of files) {
    if (isZip(file)) filesIn(file, maximumBytes).then(addFolders, () => add(file));
    else add(file);
  }
}

/** Of folders and archives, `found` as `{ path, file }`, the photos; it says how much else there was. */
function addFolders(found) {
  const { photos, others } = sort(found, photoTypes);
  addAll(photos);
  folderNote.textContent = photos.length
    ? texts.folder.replace("{photos}", photos.length).replace("{others}", others)
    : texts.folderEmpty;
}

retryAll.addEventListener("click", () => {
  for (const button of queue.querySelectorAll(".can-retry .queue-retry")) button.click();
});

// What is on its way is kept, but only goes on when the page is opened again.
addEventListener("beforeunload", (event) => { if (unsent()) event.preventDefault(); });

input.addEventListener("change", () => { addAll(input.files); input.value = ""; });
camera.addEventListener("change", () => { addAll(camera.files); camera.value = ""; });
folder.addEventListener("change", () => {
  addFolders([...folder.files].map((file) => ({ path: file.webkitRelativePath, file })));
  folder.value = "";
});
document.getElementById("take-photo").addEventListener("click", () => camera.click());
const chooseFolder = document.getElementById("choose-folder");
chooseFolder.addEventListener("click", () => folder.click());
chooseFolder.hidden = !("webkitdirectory" in folder);
form.addEventListener("submit", (event) => event.preventDefault());

for (const name of ["dragenter", "dragover"]) {
  dropZone.addEventListener(name, (event) => {
    event.preventDefault();
    dropZone.classList.add("is-over");
  });
}
for (const name of ["dragleave", "drop"]) {
  dropZone.addEventListener(name, () => dropZone.classList.remove("is-over"));
}
// A photo dropped beside the zone must not replace the page.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  const { files, inFolders } = dropped(event.dataTransfer);
  addAll(files);
  inFolders?.then(addFolders);
});
document.addEventListener("paste", (event) => addAll(event.clipboardData.files));

watchChanges((id, status) => {
  if (!lines.has(id)) return;
  // A hint may come late: what is finished already does not go back.
  const isFinished = ["done", "failed"].includes(lines.get(id).dataset.status);
  if (status === "processing" && !isFinished) update({ id, status });
  else refresh(id);
}, waiting);

// Last: whoever is quick has chosen photos before the browser has looked for those of before.
for (const photo of await left(owner)) {
  add(new File([photo.file], photo.name, { type: photo.file.type }), photo.key);
}
offerShared(addAll);
