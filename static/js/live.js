// The live page: camera, socket, overlay and buttons, joined.
import { CameraError, grab, listCameras, onEachFrame, openCamera } from "./live/camera.js";
import { LiveConnection } from "./live/connection.js";
import { Faces } from "./live/faces.js";
import { Meters } from "./live/meters.js";
import { Screens } from "./live/screens.js";
import { percent } from "./percent.js";
import { listenToKeys } from "./photo/keys.js";

const SNAPSHOT_QUALITY = 0.92;
const METER_MILLISECONDS = 500;

const element = (id) => document.getElementById(id);
const live = element("live");
const video = element("video");
const texts = element("texts").dataset;
const faces = new Faces(element("overlay"), element("faces"), element("face-template"), texts);
const screens = new Screens(document.querySelector(".live-stage"), video, element("overlay"));
const connection = new LiveConnection();
const meters = new Meters();

let stream = null;
let stopFrames = null;
let meterTimer = null;
let isEncoding = false;
/** The session that is being recorded: {session, startedAt}, or null. */
let recording = null;

/** A number as the page's language writes it. */
function written(number, digits) {
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return number.toLocaleString(document.documentElement.lang, format);
}

function setState(state) {
  live.dataset.state = state;
  const isOn = state !== "idle";
  element("consent").hidden = isOn;
  for (const id of ["stage", "meters", "faces-section"]) element(id).hidden = !isOn;
}

function notify(text, { level = "info", link = null } = {}) {
  const notice = element("notice");
  notice.hidden = !text;
  notice.className = `alert alert-${level} mt-3 mb-0`;
  element("notice-text").textContent = text;
  const anchor = element("notice-link");
  anchor.hidden = !link;
  if (link) [anchor.textContent, anchor.href] = link;
}

function cover(text) {
  element("curtain").hidden = !text;
  element("curtain").textContent = text;
}

/** POST to this site; the answer, whatever its status. */
function post(url, body) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  return fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token } });
}

/** Tell the server, once, that the notice was accepted: by pressing the button below it. */
async function noteConsent() {
  if ("hasConsent" in live.dataset) return true;
  try {
    const response = await post(live.dataset.consentApi);
    if (response.status !== 204) return false;
  } catch {
    return false;
  }
  live.dataset.hasConsent = "";
  return true;
}

// Camera ---------------------------------------------------------------------------------------

async function start(deviceId) {
  notify(texts.asking);
  element("start").disabled = true;
  if (!await noteConsent()) {
    element("start").disabled = false;
    notify(texts.consent, { level: "danger" });
    return;
  }
  try {
    stream = await openCamera(deviceId);
  } catch (error) {
    if (!(error instanceof CameraError)) throw error;
    stop();
    notify(texts[error.reason], { level: "danger" });
    return;
  } finally {
    element("start").disabled = false;
  }
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    stop();
    notify(texts.ended, { level: "danger" });
  });
  video.srcObject = stream;
  setState("connecting");
  notify("");
  cover(texts.connecting);
  try {
    await video.play();
    await showCameras();
  } catch {
    return; // Stopped meanwhile.
  }
  meters.reset();
  stopFrames = onEachFrame(video, onFrame);
  meterTimer = setInterval(showMeters, METER_MILLISECONDS);
  connection.open();
}

function releaseCamera() {
  stopFrames?.();
  clearInterval(meterTimer);
  stream?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
  stream = stopFrames = meterTimer = null;
  isEncoding = false;
}

function stop() {
  if (recording) connection.command({ type: "stop" });
  connection.close();
  if (recording) endRecording(recording.url);
  screens.close();
  releaseCamera();
  faces.clear();
  cover("");
  setState("idle");
}

async function showCameras() {
  const cameras = await listCameras();
  if (!stream) throw new Error("stopped meanwhile");
  const current = stream.getVideoTracks()[0].getSettings().deviceId;
  element("cameras").replaceChildren(...cameras.map((camera, index) => new Option(
    camera.label || `${texts.camera} ${index + 1}`, camera.deviceId, false, camera.deviceId === current,
  )));
  element("cameras-field").hidden = cameras.length < 2;
}

async function changeCamera(deviceId) {
  setState("connecting");
  cover(texts.connecting);
  releaseCamera();
  connection.close();
  faces.clear();
  await start(deviceId);
}

async function onFrame() {
  if (isAway() || !connection.isOpen) return;
  meters.frame();
  if (isEncoding || !connection.hasRoom) return;
  isEncoding = true;
  const blob = await grab(video);
  isEncoding = false;
  if (blob && stream && connection.hasRoom) connection.sendFrame(blob);
}

// Answers --------------------------------------------------------------------------------------

connection.addEventListener("ready", () => {
  setState(isAway() ? "paused" : "running");
  cover(isAway() ? texts.paused : "");
  meters.reset();
  if (recording) connection.command({ type: "record", session: recording.session });
});

connection.addEventListener("labels", ({ detail }) => {
  if (live.dataset.state !== "running") return;
  meters.answer(detail.roundTrip);
  faces.show(detail);
  element("no-face").hidden = detail.faces.length > 0;
});

connection.addEventListener("lost", () => {
  setState("lost");
  faces.clear();
  cover(texts.lost);
});

connection.addEventListener("refused", ({ detail }) => {
  stop();
  const link = detail === "signedOut" ? [texts.signIn, texts.signInUrl] : null;
  notify(texts[detail], { level: "danger", link });
});

function showMeters() {
  const { rate, roundTrip, skipped } = meters.read();
  element("meter-rate").textContent = rate === null ? "–" : written(rate, rate < 10 ? 1 : 0);
  element("meter-trip").textContent = roundTrip === null ? "–" : `${Math.round(roundTrip)} ms`;
  element("meter-dropped").textContent = skipped === null ? "–" : percent(skipped);
  if (recording) {
    const seconds = Math.floor((performance.now() - recording.startedAt) / 1000);
    const rest = String(seconds % 60).padStart(2, "0");
    element("recording-time").textContent = `${Math.floor(seconds / 60)}:${rest}`;
  }
}

// Recording and snapshots ----------------------------------------------------------------------

function showRecording() {
  const isOn = recording !== null;
  element("recording-mark").hidden = !isOn;
  element("marker-field").hidden = !isOn;
  element("record").classList.toggle("btn-outline-danger", !isOn);
  element("record").classList.toggle("btn-danger", isOn);
  element("record-text").textContent = isOn ? texts.stopRecording : texts.record;
}

function endRecording(url) {
  recording = null;
  showRecording();
  notify(texts.recorded, { level: "success", link: [texts.open, url] });
}

connection.addEventListener("recording", ({ detail }) => {
  recording = {
    session: detail.session,
    url: detail.url,
    startedAt: performance.now() - detail.seconds * 1000,
  };
  showRecording();
});

connection.addEventListener("recorded", ({ detail }) => endRecording(detail.url));

element("record").addEventListener("click", () => {
  connection.command({ type: recording ? "stop" : "record" });
});

let nMarkers = 0;

function setMarker() {
  if (!recording) return;
  nMarkers += 1;
  const name = element("marker-name").value.trim() || `${texts.marker} ${nMarkers}`;
  connection.command({ type: "marker", name });
}

connection.addEventListener("marker", ({ detail }) => {
  notify(texts.marked.replace("{name}", detail.name));
});

element("marker").addEventListener("click", setMarker);
element("marker-name").addEventListener("keydown", (event) => {
  if (event.key === "Enter") setMarker();
});

const KEYS = {
  m: setMarker,
  f: () => screens.toggleFullScreen(),
  p: () => screens.toggleFloat(),
};
listenToKeys((event) => {
  const act = KEYS[event.key.toLowerCase()];
  if (!act || event.repeat) return false;
  act();
  return true;
});

element("snapshot").addEventListener("click", async () => {
  const button = element("snapshot");
  const blob = await grab(video, Infinity, SNAPSHOT_QUALITY);
  if (!blob) return;
  button.disabled = true;
  notify(texts.saving);
  try {
    const body = new FormData();
    const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
    body.append("image", blob, `snapshot ${stamp}.jpg`);
    const response = await post(live.dataset.uploadApi, body);
    const answer = await response.json();
    if (response.status === 201) {
      const page = new URL(answer.links.page).pathname;
      notify(texts.saved, { level: "success", link: [texts.open, page] });
    } else {
      notify(answer.detail ?? texts.notSaved, { level: "danger" });
    }
  } catch {
    notify(texts.notSaved, { level: "danger" });
  } finally {
    button.disabled = false;
  }
});

// Page -----------------------------------------------------------------------------------------

/** Nobody sees the picture: neither the page nor the small window. */
function isAway() {
  return document.hidden && !screens.isFloating;
}

function pauseOrGoOn() {
  if (!stream) return;
  // The camera itself is muted too, so that its light can go out.
  stream.getVideoTracks().forEach((track) => { track.enabled = !isAway(); });
  if (!connection.isOpen) return;
  setState(isAway() ? "paused" : "running");
  cover(isAway() ? texts.paused : "");
  if (isAway()) faces.clear();
  meters.reset();
}
document.addEventListener("visibilitychange", pauseOrGoOn);
screens.addEventListener("float", pauseOrGoOn);

element("start").addEventListener("click", () => start());
element("stop").addEventListener("click", () => { notify(""); stop(); });
element("cameras").addEventListener("change", (event) => changeCamera(event.target.value));
