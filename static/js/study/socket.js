// The participant's socket: a token for each opening, the line, and back again after a loss.

import { packed } from "./frames.js";

const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 10000;
/** A server that owes an answer to a frame for longer is taken for lost. */
const SILENCE_MILLISECONDS = 8000;
const MAXIMUM_IN_FLIGHT = 2;

/** Close codes after which trying again would not help, to the name of a text of the page. */
const FINAL = {
  1009: "refused", 4400: "refused", 4404: "gone", 4408: "refused", 4409: "replaced", 4413: "full", 4423: "unavailable",
};
const NOT_LET_IN = 4401;
const DONE = 4410;
/** Tokens, each good for two minutes, after which whoever is not let in is nobody who takes part. */
const MOST_TOKENS = 3;

export class StudySocket extends EventTarget {
  #tokenUrl;
  #csrf;
  #socket = null;
  #isWanted = false;
  #isReady = false;
  #wait = FIRST_WAIT_MILLISECONDS;
  #timer = null;
  #nSent = 0;
  /** Tokens in a row that have let nobody in. */
  #nRefused = 0;
  /** Number of an unanswered frame to when it was sent. */
  #inFlight = new Map();

  /**
   * Events: "line" (detail: the place), "ready", "check" (detail: the message), "ack" and "error"
   * (detail: the message), "lost" (will try again), "finished", and "refused" (detail: the name of
   * a text; will not).
   */
  constructor(tokenUrl, csrf) {
    super();
    this.#tokenUrl = tokenUrl;
    this.#csrf = csrf;
  }

  open() {
    this.#isWanted = true;
    this.#wait = FIRST_WAIT_MILLISECONDS;
    clearTimeout(this.#timer);
    return this.#connect();
  }

  close() {
    this.#isWanted = false;
    this.#isReady = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#inFlight.clear();
  }

  get isReady() {
    return this.#isReady && this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether another frame may leave now. */
  get hasRoom() {
    const [oldest] = this.#inFlight.values();
    if (oldest !== undefined && performance.now() - oldest > SILENCE_MILLISECONDS) {
      this.#socket?.close(4000);
      return false;
    }
    return this.isReady && this.#inFlight.size < MAXIMUM_IN_FLIGHT;
  }

  sendFrame(clock, jpeg) {
    if (!this.isReady) return;
    this.#nSent += 1;
    this.#inFlight.set(this.#nSent, performance.now());
    this.#socket.send(packed(clock, jpeg));
  }

  /** Whether the message has left. */
  send(message) {
    if (!this.isReady) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  async #connect() {
    let token;
    try {
      const headers = { "X-CSRFToken": this.#csrf };
      const answer = await fetch(this.#tokenUrl, { method: "POST", headers });
      // Whoever withdrew, or has lost the cookie: it cannot be told which.
      if (answer.status === 410 || answer.status === 404) {
        this.#refuse(answer.status === 410 ? "stranger" : "gone");
        return;
      }
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      ({ token } = await answer.json());
    } catch {
      this.#retry();
      return;
    }
    if (!this.#isWanted) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const offered = ["visage.study", `visage.study.token.${token}`];
    const socket = new WebSocket(`${scheme}://${location.host}/ws/study/`, offered);
    this.#socket = socket;
    this.#nSent = 0;
    this.#inFlight.clear();
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #receive(message) {
    if (message.type === "ping") {
      // At once: the round trip is what the clocks are compared by.
      const pong = { type: "pong", id: message.id, clock: performance.now() };
      this.#socket.send(JSON.stringify(pong));
      return;
    }
    if (message.frame) {
      for (const number of this.#inFlight.keys()) {
        if (number <= message.frame) this.#inFlight.delete(number);
      }
    }
    if (message.type === "ready") {
      this.#isReady = true;
      this.#nRefused = 0;
      this.#wait = FIRST_WAIT_MILLISECONDS;
    }
    if (message.type === "finished") this.close();
    this.#tell(message.type, message.type === "line" ? message.place : message);
  }

  #closed(code) {
    this.#socket = null;
    this.#isReady = false;
    this.#inFlight.clear();
    if (!this.#isWanted) return;
    if (code === DONE) {
      this.#isWanted = false;
      this.#tell("finished", null);
    } else if (code === NOT_LET_IN && ++this.#nRefused >= MOST_TOKENS) {
      this.#refuse("stranger");
    } else if (code in FINAL) {
      this.#refuse(FINAL[code]);
    } else {
      this.#retry();
    }
  }

  #refuse(why) {
    this.#isWanted = false;
    this.#tell("refused", why);
  }

  #retry() {
    if (!this.#isWanted) return;
    this.#tell("lost", null);
    this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MILLISECONDS);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
