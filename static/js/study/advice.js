// The camera check: what to say about the last moments.

/** Frames a second below which the series has holes; the page sends five. */
const SLOW = 3;
/** Mean brightness, from 0 to 1. */
const DARK = 0.2;
const BRIGHT = 0.88;
/** Height of the face as a share of the picture's. */
const FAR = 0.16;
/** Frames that are looked back at, and that are needed before anything is said. */
const WINDOW = 15;
const NEEDED = 8;
/** Good frames in a row before the study may begin: the server wants as many. */
export const ENOUGH = 12;

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / Math.max(1, numbers.length);

export class CameraCheck {
  #frames = [];
  #n = 0;

  reset() {
    this.#frames = [];
    this.#n = 0;
  }

  /** @param {{faces: number, height: number, rate: number, light: number}} frame */
  add(frame) {
    this.#n += 1;
    this.#frames.push(frame);
    if (this.#frames.length > WINDOW) this.#frames.shift();
  }

  get #seen() {
    return this.#frames.filter((frame) => frame.faces > 0);
  }

  get light() {
    return mean(this.#frames.map((frame) => frame.light));
  }

  get height() {
    return mean(this.#seen.map((frame) => frame.height));
  }

  get rate() {
    return this.#frames.at(-1)?.rate ?? 0;
  }

  get hasFace() {
    return this.#seen.length >= this.#frames.length * 0.7;
  }

  /** The name of the most important advice: wait, face, alone, dark, bright, far, slow or good. */
  get advice() {
    if (this.#n < NEEDED) return "wait";
    if (!this.hasFace) return this.light < DARK ? "dark" : "face";
    if (mean(this.#frames.map((frame) => (frame.faces > 1 ? 1 : 0))) > 0.5) return "alone";
    if (this.light < DARK) return "dark";
    if (this.light > BRIGHT) return "bright";
    if (this.height < FAR) return "far";
    if (this.rate < SLOW) return "slow";
    return "good";
  }

  /** A face is there: the study may begin, also where the picture could be better. */
  get isPassed() {
    return this.#n >= ENOUGH && this.hasFace;
  }
}
