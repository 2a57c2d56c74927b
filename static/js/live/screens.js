// The camera's picture over the whole screen, and in a small window above all others.

import { onEachFrame } from "./camera.js";

const LINE_PIXELS = 3;

/** Draw the mirrored picture with the boxes and labels that are over it, as large as it is. */
function draw(context, video, overlay) {
  const { width, height } = context.canvas;
  context.setTransform(-1, 0, 0, 1, width, 0);
  context.drawImage(video, 0, 0, width, height);
  const { width: drawn } = overlay.viewBox.baseVal;
  const scale = drawn ? width / drawn : 1;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineJoin = "round";
  for (const group of overlay.querySelectorAll(".live-box")) {
    const [box, text] = group.children;
    const [x, y, boxWidth, boxHeight, textX, textY] = [
      [box, "x"], [box, "y"], [box, "width"], [box, "height"], [text, "x"], [text, "y"],
    ].map(([element, name]) => Number(element.getAttribute(name)));
    context.strokeStyle = getComputedStyle(box).stroke;
    context.lineWidth = LINE_PIXELS / scale;
    context.strokeRect(x, y, boxWidth, boxHeight);
    context.font = `600 ${text.getAttribute("font-size")}px system-ui, sans-serif`;
    context.strokeStyle = "rgb(0 0 0 / 75%)";
    context.strokeText(text.textContent, textX, textY);
    context.fillStyle = "#fff";
    context.fillText(text.textContent, textX, textY);
  }
}

/** Both views of one stage; a button of what the browser cannot do stays hidden. */
export class Screens extends EventTarget {
  #stage;
  #video;
  #overlay;
  #fullScreen;
  #floatButton;
  #floating = document.createElement("video");
  #canvas = document.createElement("canvas");
  #stopDrawing = null;

  /**
   * Tells by the event ``float`` when the small window comes and goes.
   *
   * @param {HTMLElement} stage with the video, the overlay and both buttons in it
   * @param {HTMLVideoElement} video
   * @param {SVGSVGElement} overlay
   */
  constructor(stage, video, overlay) {
    super();
    this.#stage = stage;
    this.#video = video;
    this.#overlay = overlay;
    this.#fullScreen = stage.querySelector("#full-screen");
    this.#floatButton = stage.querySelector("#float");
    this.#fullScreen.hidden = !document.fullscreenEnabled;
    this.#floatButton.hidden = !(document.pictureInPictureEnabled && this.#canvas.captureStream);
    this.#floating.muted = true;
    this.#floating.playsInline = true;
    this.#fullScreen.addEventListener("click", () => this.toggleFullScreen());
    this.#floatButton.addEventListener("click", () => this.toggleFloat());
    document.addEventListener("fullscreenchange", () => this.#show());
    this.#floating.addEventListener("leavepictureinpicture", () => this.#land());
    this.#show();
  }

  /** Whether the picture is in the small window, which is seen while the page is not. */
  get isFloating() {
    return this.#stopDrawing !== null;
  }

  async toggleFullScreen() {
    if (this.#fullScreen.hidden || !this.#video.srcObject) return;
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.#stage.requestFullscreen();
    } catch { /* The browser says no; the page is as it was. */ }
  }

  async toggleFloat() {
    if (this.#floatButton.hidden || !this.#video.videoWidth) return;
    if (this.isFloating) {
      await this.#leaveFloat();
      return;
    }
    this.#canvas.width = this.#video.videoWidth;
    this.#canvas.height = this.#video.videoHeight;
    const context = this.#canvas.getContext("2d", { alpha: false });
    this.#stopDrawing = onEachFrame(this.#video, () => draw(context, this.#video, this.#overlay));
    draw(context, this.#video, this.#overlay);
    try {
      this.#floating.srcObject = this.#canvas.captureStream();
      await this.#floating.play();
      await this.#floating.requestPictureInPicture();
      this.#show();
      this.dispatchEvent(new Event("float"));
    } catch {
      this.#land(); // The browser says no.
    }
  }

  /** Leave both, as when the camera goes off. */
  close() {
    if (document.fullscreenElement === this.#stage) document.exitFullscreen().catch(() => {});
    if (this.isFloating) this.#leaveFloat();
  }

  async #leaveFloat() {
    if (document.pictureInPictureElement) await document.exitPictureInPicture().catch(() => {});
    this.#land();
  }

  #land() {
    if (!this.isFloating) return;
    this.#stopDrawing();
    this.#stopDrawing = null;
    this.#floating.srcObject?.getTracks().forEach((track) => track.stop());
    this.#floating.srcObject = null;
    this.#show();
    this.dispatchEvent(new Event("float"));
  }

  #show() {
    for (const [button, isOn] of [
      [this.#fullScreen, document.fullscreenElement === this.#stage],
      [this.#floatButton, this.isFloating],
    ]) {
      button.setAttribute("aria-label", isOn ? button.dataset.off : button.dataset.on);
      button.title = button.getAttribute("aria-label");
    }
  }
}
