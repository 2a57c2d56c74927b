// The socket: at most two frames without an answer, and back again after a loss.

const MAXIMUM_IN_FLIGHT = 2;
const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 15000;
/** A server that owes an answer for longer is taken for lost. */
const SILENCE_MILLISECONDS = 8000;

/** Close codes after which trying again would not help, to the name of a text of the page. */
const FINAL = {
  1009: "refused",
  4400: "refused",
  4401: "signedOut",
  4402: "quota",
  4403: "consent",
  4408: "refused",
  4429: "sockets",
  4503: "unavailable",
};

export class LiveConnection extends EventTarget {
  #socket = null;
  #isWanted = false;
  #wait = FIRST_WAIT_MILLISECONDS;
  #timer = null;
  #nSent = 0;
  #nDropped = 0;
  /** Number of an unanswered frame to when it was sent. */
  #inFlight = new Map();

  /**
   * Events: "ready", "labels", "recording", "recorded", "marker" (detail: the message),
   * "lost" (will try again) and "refused" (detail: the name of a text; will not).
   */
  open() {
    this.#isWanted = true;
    this.#connect();
  }

  close() {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    this.#socket?.close(1000);
    this.#socket = null;
    this.#inFlight.clear();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether another frame may leave now. */
  get hasRoom() {
    const [oldest] = this.#inFlight.values();
    if (oldest !== undefined && performance.now() - oldest > SILENCE_MILLISECONDS) {
      this.#socket?.close(4000);
      return false;
    }
    return this.isOpen && this.#inFlight.size < MAXIMUM_IN_FLIGHT;
  }

  sendFrame(blob) {
    this.#nSent += 1;
    this.#inFlight.set(this.#nSent, performance.now());
    this.#socket.send(blob);
  }

  command(message) {
    if (this.isOpen) this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
    this.#socket = socket;
    this.#nSent = 0;
    this.#nDropped = 0;
    this.#inFlight.clear();
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#receive(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.#socket) this.#closed(event.code);
    });
  }

  #receive(message) {
    if (message.type === "ready") this.#wait = FIRST_WAIT_MILLISECONDS;
    if (message.frame) {
      message.roundTrip = performance.now() - this.#inFlight.get(message.frame);
      // An answer settles every frame before it.
      for (const number of this.#inFlight.keys()) {
        if (number <= message.frame) this.#inFlight.delete(number);
      }
    }
    if (message.type === "labels") {
      message.newlyDropped = message.dropped - this.#nDropped;
      this.#nDropped = message.dropped;
    }
    this.#tell(message.type, message);
  }

  #closed(code) {
    this.#socket = null;
    this.#inFlight.clear();
    if (!this.#isWanted) return;
    if (code in FINAL) {
      this.#isWanted = false;
      this.#tell("refused", FINAL[code]);
      return;
    }
    this.#tell("lost", code);
    this.#timer = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MILLISECONDS);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
