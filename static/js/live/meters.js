// How well it runs: frames a second, round trip, and the share of frames that got no labels.

const WINDOW_MILLISECONDS = 3000;

export class Meters {
  /** Of the last moments: when a camera frame came; when an answer came and how long it took. */
  #frames = [];
  #answers = [];
  #startedAt = performance.now();

  reset() {
    this.#frames = [];
    this.#answers = [];
    this.#startedAt = performance.now();
  }

  frame() {
    this.#frames.push(performance.now());
  }

  answer(roundTrip) {
    this.#answers.push([performance.now(), roundTrip]);
  }

  /** {rate, roundTrip, skipped}: frames a second, milliseconds, share; null where unknown. */
  read() {
    const now = performance.now();
    const since = now - WINDOW_MILLISECONDS;
    this.#frames = this.#frames.filter((at) => at > since);
    this.#answers = this.#answers.filter(([at]) => at > since);
    const seconds = Math.min(WINDOW_MILLISECONDS, now - this.#startedAt) / 1000;
    const trips = this.#answers.map(([, trip]) => trip).sort((a, b) => a - b);
    return {
      rate: seconds > 0.5 ? this.#answers.length / seconds : null,
      roundTrip: trips.length ? trips[Math.floor(trips.length / 2)] : null,
      skipped: this.#frames.length
        ? Math.max(0, 1 - this.#answers.length / this.#frames.length) : null,
    };
  }
}
