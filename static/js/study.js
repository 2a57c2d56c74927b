// The page of a participant: camera check, blocks, end. Camera and full screen stay on meanwhile.
import { CameraError, listCameras } from "./live/camera.js";
import { CameraCheck } from "./study/advice.js";
import { Presenter } from "./study/blocks.js";
import { Camera } from "./study/camera.js";
import { Files } from "./study/files.js";
import { Outbox } from "./study/outbox.js";
import { StudySocket } from "./study/socket.js";

const STEPS = ["begin", "line", "check", "stage", "trouble"];
const AHEAD = 2;
const RETRY_MILLISECONDS = 2000;

const element = (id) => document.getElementById(id);
const study = element("study");
const texts = element("texts").dataset;
const plan = JSON.parse(element("plan").textContent);
const csrf = document.querySelector("[name=csrfmiddlewaretoken]").value;
const socket = new StudySocket(plan.token, csrf);
const outbox = new Outbox(
  (message) => socket.send(message), sessionStorage, plan.id, performance.timeOrigin,
);
const files = new Files();
const check = new CameraCheck();
const camera = new Camera(element("mirror"));
const places = { shown: element("shown"), button: element("go-on"), hint: element("hint") };
const presenter = new Presenter(places, texts, files, (...report) => outbox.add(...report));

/** Index of the block whose turn it is; what was reported before a reload is done. */
let place = plan.blocks.reduce(
  (last, block, index) => (outbox.hasEnded(block.id) ? index + 1 : last), plan.place,
);
let shownBlock = null;
let showing = new AbortController();
let isOver = false;
/** Number of the report that the check was passed, while it is on its way. */
let passing = null;

const needsCamera = () => plan.blocks.slice(place).some((block) => block.watched);

function show(step) {
  study.dataset.state = step;
  for (const one of STEPS) element(one).hidden = one !== step;
  if (step !== "stage") element(step).querySelector("h1, h2")?.focus();
}

function notify(text) {
  element("notice").hidden = !text;
  element("notice").textContent = text;
}

function showCamera() {
  const state = element("camera-state");
  state.toggleAttribute("data-is-on", camera.isOn);
  element("camera-words").textContent = camera.isOn ? state.dataset.on : state.dataset.off;
}

function stopCamera() {
  camera.close();
  showCamera();
}

/** Something that the participant has to do, or to know. */
function trouble(title, text, again) {
  notify("");
  show("trouble");
  element("trouble-title").textContent = title;
  element("trouble-text").textContent = text;
  element("again").hidden = !again;
  element("again").onclick = again;
}

// Camera ---------------------------------------------------------------------------------------

async function openCamera(deviceId) {
  notify(texts.asking);
  await camera.open(deviceId, () => cameraEnded());
  showCamera();
  notify("");
  const cameras = await listCameras();
  element("cameras").replaceChildren(...cameras.map((one, index) => new Option(
    one.label || String(index + 1), one.deviceId, false, one.deviceId === camera.deviceId,
  )));
  element("cameras-field").hidden = cameras.length < 2;
}

function cameraTrouble(error, again) {
  if (!(error instanceof CameraError)) throw error;
  stopCamera();
  trouble(texts.pausedTitle, texts[error.reason], again);
}

/** The camera went away by itself: what is being shown begins anew once it is back. */
function cameraEnded() {
  if (isOver) return;
  showing.abort();
  stopCamera();
  trouble(texts.pausedTitle, texts.ended, () => beginCheck());
}

camera.onFrame = async (clock, take) => {
  if (isOver || !socket.hasRoom) return;
  const jpeg = await take();
  if (jpeg && socket.isReady) socket.sendFrame(clock, jpeg);
};

// Camera check ---------------------------------------------------------------------------------

async function beginCheck(deviceId) {
  if (isOver) return;
  if (!needsCamera()) {
    runBlocks();
    return;
  }
  try {
    await openCamera(deviceId);
  } catch (error) {
    cameraTrouble(error, () => beginCheck());
    return;
  }
  check.reset();
  showCheck();
  show("check");
  socket.send({ type: "check", n: 0 });
}

function showCheck() {
  const advice = check.advice;
  const words = texts[`advice${advice[0].toUpperCase()}${advice.slice(1)}`];
  if (element("advice").textContent !== words) element("advice").textContent = words;
  element("advice").dataset.advice = advice;
  const isKnown = advice !== "wait";
  const tooFar = check.hasFace && advice === "far";
  const light = { dark: texts.tooDark, bright: texts.tooBright }[advice] ?? texts.good;
  const meters = {
    face: check.hasFace ? texts.faceFound : texts.faceNone,
    size: check.hasFace ? (tooFar ? texts.tooSmall : texts.good) : "–",
    light,
    rate: check.rate.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }),
  };
  for (const [name, text] of Object.entries(meters)) {
    element(`meter-${name}`).textContent = isKnown ? text : "–";
  }
  element("start").disabled = !check.isPassed || passing !== null;
  element("no-way").hidden = !isKnown || check.isPassed;
}

socket.addEventListener("check", ({ detail }) => {
  if (study.dataset.state !== "check") return;
  check.add({ ...detail, light: camera.light });
  showCheck();
});

element("start").addEventListener("click", () => {
  fullScreen();
  passing = outbox.add("checked", performance.now(), { light: check.light });
  element("start").disabled = true;
});

element("cameras").addEventListener("change", (event) => beginCheck(event.target.value));

// Blocks ---------------------------------------------------------------------------------------

function fullScreen() {
  // Phones that have none show the page as it is.
  document.documentElement.requestFullscreen?.({ navigationUI: "hide" }).catch(() => {});
  navigator.wakeLock?.request("screen").catch(() => {});
}

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

function whenReady(signal) {
  if (socket.isReady) return Promise.resolve();
  return new Promise((resolve) => {
    socket.addEventListener("ready", resolve, { once: true, signal });
  });
}

async function runBlocks() {
  showing.abort();
  showing = new AbortController();
  const { signal } = showing;
  show("stage");
  while (place < plan.blocks.length && !signal.aborted) {
    const block = plan.blocks[place];
    plan.blocks.slice(place, place + AHEAD + 1).forEach((one) => files.prepare(one));
    await whenReady(signal);
    shownBlock = block;
    try {
      await presenter.show(block, signal);
    } catch {
      if (signal.aborted) return;
      notify(texts.notLoaded);
      await pause(RETRY_MILLISECONDS);
      continue;
    }
    if (signal.aborted) return;
    notify("");
    shownBlock = null;
    files.release(block);
    place += 1;
    if (!needsCamera()) stopCamera();
  }
  if (!signal.aborted && !isOver) notify(texts.saving);
}

document.addEventListener("visibilitychange", () => {
  if (!shownBlock) return;
  const name = document.hidden ? "hidden" : "shown";
  outbox.add("event", performance.now(), { block: shownBlock.id, name });
});

// The socket -----------------------------------------------------------------------------------

socket.addEventListener("line", ({ detail }) => {
  // A page that comes back while a block is shown has its place still, or waits beside it.
  if (study.dataset.state === "stage") return;
  stopCamera();
  notify("");
  element("line-place").textContent = texts.linePlace.replace("{place}", detail);
  show("line");
});

socket.addEventListener("ready", () => {
  notify("");
  outbox.begin();
  const state = study.dataset.state;
  if (state === "check") {
    passing = null;
    check.reset();
    socket.send({ type: "check", n: 0 });
  } else if (state === "begin" || state === "line") {
    beginCheck();
  }
});

socket.addEventListener("ack", ({ detail }) => {
  outbox.settle(detail.n);
  if (detail.n !== null && detail.n === passing) {
    passing = null;
    runBlocks();
  }
});

socket.addEventListener("error", ({ detail }) => {
  if (detail.code === "too_soon") setTimeout(() => outbox.again(), 1000);
  if (typeof detail.n !== "number") return;
  outbox.settle(detail.n);
  if (detail.n === passing) {
    passing = null;
    check.reset();
    showCheck();
    socket.send({ type: "check", n: 0 });
  }
});

socket.addEventListener("lost", () => {
  if (!isOver) notify(texts.lost);
});

socket.addEventListener("finished", () => {
  end();
  location.replace(plan.end);
});

socket.addEventListener("refused", ({ detail }) => {
  // What was not taken stays for the next time.
  const mayReturn = ["replaced", "full", "unavailable"].includes(detail);
  if (!mayReturn) outbox.clear();
  end();
  trouble(texts[`${detail}Title`], texts[detail], mayReturn ? () => location.reload() : null);
});

/** Nothing more is shown, sent or filmed. */
function end() {
  isOver = true;
  showing.abort();
  stopCamera();
  socket.close();
  if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
}

// The page -------------------------------------------------------------------------------------

element("camera-on").addEventListener("click", () => {
  element("camera-on").disabled = true;
  if (!needsCamera()) fullScreen();
  notify(texts.connecting);
  socket.open();
});

element("leave").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  if (!window.confirm(button.dataset.sure)) return;
  button.disabled = true;
  isOver = true;
  showing.abort();
  stopCamera();
  // That the block before is over may still be on its way.
  await outbox.emptied(2000);
  outbox.clear();
  end();
  form.submit();
});

window.addEventListener("pagehide", () => stopCamera());
showCamera();
// Not before: a click that nobody hears would be lost.
element("camera-on").disabled = false;
