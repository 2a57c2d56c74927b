// The participant's camera: on only while it is needed, and a frame as often as it is wanted.

import { grab, onEachFrame, openCamera } from "../live/camera.js";
import { lightOf, Pace } from "./frames.js";

const FRAMES_PER_SECOND = 5;
/** A camera that says that a picture is older than this does not know. */
const OLDEST_MILLISECONDS = 1000;

export class Camera {
  #video;
  #stream = null;
  #stopFrames = null;
  #isBusy = false;
  /** Mean brightness of the last picture, from 0 to 1. */
  light = 0;
  /** Called with the time of `performance.now` of a picture, and a function that makes it a JPEG. */
  onFrame = null;

  constructor(video) {
    this.#video = video;
  }

  get isOn() {
    return this.#stream !== null;
  }

  get deviceId() {
    return this.#stream?.getVideoTracks()[0].getSettings().deviceId;
  }

  /** Switch it on; `onEnded` is called where it goes off by itself. Raises `CameraError`. */
  async open(deviceId, onEnded) {
    this.close();
    const stream = await openCamera(deviceId);
    this.#stream = stream;
    stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (this.#stream === stream) onEnded();
    });
    this.#video.srcObject = stream;
    await this.#video.play();
    const pace = new Pace(FRAMES_PER_SECOND);
    this.#stopFrames = onEachFrame(this.#video, (now, frame) => {
      if (pace.isDue(now)) this.#take(now, frame);
    });
  }

  /** Switch it off, light and all. */
  close() {
    this.#stopFrames?.();
    this.#stopFrames = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.#video.srcObject = null;
  }

  async #take(now, frame) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const told = frame?.captureTime;
    const clock = told <= now && told > now - OLDEST_MILLISECONDS ? told : now;
    try {
      this.light = lightOf(this.#video);
      await this.onFrame?.(clock, () => grab(this.#video));
    } finally {
      this.#isBusy = false;
    }
  }
}
