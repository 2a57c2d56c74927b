// A frame as it is sent: eight bytes that say when, and the picture. And how bright it is.

/** @returns {Blob} Big-endian float64: `performance.now` at which it was taken; then the JPEG. */
export function packed(clock, jpeg) {
  const head = new DataView(new ArrayBuffer(8));
  head.setFloat64(0, clock);
  return new Blob([head.buffer, jpeg]);
}

/** Mean brightness of pixels, four numbers each (RGBA), from 0 to 1. */
export function brightness(pixels) {
  let sum = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    sum += 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
  }
  return sum / Math.max(1, pixels.length / 4) / 255;
}

const SIDE = 16;

/** How bright a video's picture is. */
export function lightOf(video) {
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, SIDE, SIDE);
  return brightness(context.getImageData(0, 0, SIDE, SIDE).data);
}

/** Says when another frame is due: so many a second, evenly, however many a camera gives. */
export class Pace {
  #due = -Infinity;
  #between;

  constructor(perSecond) {
    this.#between = 1000 / perSecond;
  }

  isDue(now) {
    if (now < this.#due - this.#between * 0.1) return false;
    // In step with what was due, unless that is long ago; but a series has ten places a second,
    // and one that follows a late frame at once would fall into the same.
    this.#due = now - this.#due > this.#between
      ? now + this.#between
      : Math.max(this.#due + this.#between, now + this.#between / 2);
    return true;
  }
}
