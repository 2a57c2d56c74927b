// What the page has to report, in order, until the server has acknowledged it: also over a reload.

/**
 * Reports leave one at a time. `clock` is a time of `performance.now`, which begins anew with each
 * load of the page; it is kept with the time at which it began, and sent by the clock of now.
 */
export class Outbox {
  #waiting;
  #isSent = false;
  #send;
  #storage;
  #key;
  #origin;
  #number;
  #whenEmpty = null;

  /**
   * @param {(message: object) => boolean} send Whether it could leave.
   * @param {Storage} storage Of the window; what it holds goes with it.
   * @param {string} key Of the participation.
   * @param {number} origin `performance.timeOrigin`.
   */
  constructor(send, storage, key, origin) {
    this.#send = send;
    this.#storage = storage;
    this.#key = `study-${key}`;
    this.#origin = origin;
    this.#waiting = this.#read();
    this.#number = this.#waiting.at(-1)?.n ?? 0;
  }

  get isEmpty() {
    return this.#waiting.length === 0;
  }

  /** Whether it holds that a block is over. */
  hasEnded(block) {
    return this.#waiting.some((report) => report.type === "end" && report.block === block);
  }

  /** Report something that happened at a time of `performance.now`, once. */
  add(type, clock, fields = {}) {
    this.#number += 1;
    this.#waiting.push({ type, n: this.#number, clock, origin: this.#origin, ...fields });
    this.#keep();
    this.flush();
    return this.#number;
  }

  /** The socket is open anew: nothing is on its way. */
  begin() {
    this.#isSent = false;
    this.flush();
  }

  /** The server has taken a report, or will never take it. */
  settle(number) {
    if (this.#waiting[0]?.n !== number) return;
    this.#waiting.shift();
    this.#isSent = false;
    this.#keep();
    if (this.isEmpty) this.#whenEmpty?.();
    this.flush();
  }

  /** Resolves once everything is acknowledged, or after so many milliseconds. */
  emptied(milliseconds) {
    return new Promise((resolve) => {
      const waited = setTimeout(resolve, milliseconds);
      this.#whenEmpty = () => {
        clearTimeout(waited);
        resolve();
      };
      if (this.isEmpty) this.#whenEmpty();
    });
  }

  /** Send the first one again: the server was asked too often. */
  again() {
    this.#isSent = false;
    this.flush();
  }

  flush() {
    if (this.#isSent || !this.#waiting.length) return;
    const { origin, clock, ...message } = this.#waiting[0];
    this.#isSent = this.#send({ ...message, clock: clock + origin - this.#origin });
  }

  /** Forget everything: the participation is over. */
  clear() {
    this.#waiting = [];
    this.#keep();
  }

  #read() {
    try {
      const found = JSON.parse(this.#storage.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  #keep() {
    try {
      if (this.#waiting.length) this.#storage.setItem(this.#key, JSON.stringify(this.#waiting));
      else this.#storage.removeItem(this.#key);
    } catch {
      // Without storage a reload loses what was on its way, and the block is shown anew.
    }
  }
}
