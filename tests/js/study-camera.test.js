import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import "./browser.js";

class FakeTrack extends EventTarget {
  isStopped = false;

  stop() { this.isStopped = true; }
  getSettings() { return { deviceId: "one" }; }
}

let tracks;
const getUserMedia = async () => {
  const track = new FakeTrack();
  tracks.push(track);
  return { getTracks: () => [track], getVideoTracks: () => [track] };
};
Object.defineProperty(globalThis, "navigator", { value: { mediaDevices: { getUserMedia } } });
globalThis.requestAnimationFrame = () => {};
document.createElement = () => ({});
const { Camera } = await import("../../static/js/study/camera.js");

let camera;
let video;
let nEnds;

beforeEach(async () => {
  tracks = [];
  nEnds = 0;
  video = { srcObject: null, play: async () => {} };
  camera = new Camera(video);
  await camera.open(null, () => { nEnds += 1; });
});

test("a camera that is closed is off, light and all", () => {
  assert.equal(camera.isOn, true);
  camera.close();
  assert.equal(tracks[0].isStopped, true);
  assert.equal(video.srcObject, null);
  assert.equal(camera.isOn, false);
});

test("another camera takes the place of the one before", async () => {
  await camera.open("two", () => {});
  assert.deepEqual(tracks.map((track) => track.isStopped), [true, false]);
});

test("one that ends by itself is told, and one that was replaced is not", async () => {
  tracks[0].dispatchEvent(new Event("ended"));
  assert.equal(nEnds, 1);
  await camera.open("two", () => {});
  tracks[0].dispatchEvent(new Event("ended"));
  assert.equal(nEnds, 1);
});
