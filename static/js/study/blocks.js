// One block on the screen: what it shows, when it began and ended, and what happened in between.

import { Question } from "./questions.js";

const QUESTIONS = new Set(["scale", "choice", "open"]);
/** A player that says nothing for so long is not waited for. */
const STUCK_MILLISECONDS = 15000;
/** Nor is a web page of another site that does not load. */
const FRAME_MILLISECONDS = 10000;
/** The second press of a double click is not one of the next block's. */
const DOUBLE_CLICK_MILLISECONDS = 400;

function make(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** The time of `performance.now` at which what was changed is on the screen. */
function shownAt() {
  return new Promise((resolve) => {
    // A page in the background draws nothing.
    const late = setTimeout(() => resolve(performance.now()), 250);
    requestAnimationFrame(() => requestAnimationFrame((time) => {
      clearTimeout(late);
      resolve(time);
    }));
  });
}

export class Presenter {
  #shown;
  #button;
  #hint;
  #texts;
  #files;
  #report;

  /**
   * @param {{shown: Element, button: Element, hint: Element}} places Of the page.
   * @param {DOMStringMap} texts
   * @param {Files} files
   * @param {(type: string, clock: number, fields: object) => void} report
   */
  constructor(places, texts, files, report) {
    this.#shown = places.shown;
    this.#button = places.button;
    this.#hint = places.hint;
    this.#texts = texts;
    this.#files = files;
    this.#report = report;
  }

  /** Show a block until it is over. Nothing more is reported of it after `signal` is aborted. */
  async show(block, signal) {
    this.#clear();
    if (QUESTIONS.has(block.kind)) await this.#ask(block, signal);
    else if (block.kind === "video" || block.kind === "sound") await this.#play(block, signal);
    else await this.#still(block, signal);
    this.#clear();
  }

  #clear() {
    this.#shown.querySelectorAll("video, audio").forEach((media) => media.pause());
    this.#shown.replaceChildren();
    this.#button.hidden = true;
    this.#button.textContent = this.#texts.goOn;
    this.#hint.hidden = true;
  }

  #tell(type, block, clock, fields = {}) {
    this.#report(type, clock, { block: block.id, ...fields });
  }

  /** Wait for the button; the time of the click. */
  #pressed(signal, isReady = () => true) {
    this.#button.hidden = false;
    this.#button.disabled = true;
    setTimeout(() => { this.#button.disabled = false; }, DOUBLE_CLICK_MILLISECONDS);
    return new Promise((resolve) => {
      this.#button.addEventListener("click", (event) => {
        if (isReady()) resolve(event.timeStamp || performance.now());
      }, { signal });
    });
  }

  #passed(seconds, signal, from, isTold) {
    return new Promise((resolve) => {
      const tick = () => {
        if (signal.aborted) return;
        const left = from + seconds * 1000 - performance.now();
        if (left <= 0) {
          resolve(performance.now());
          return;
        }
        if (isTold) {
          const text = this.#texts.continuesIn.replace("{seconds}", Math.ceil(left / 1000));
          if (isTold.textContent !== text) isTold.textContent = text;
        }
        setTimeout(tick, Math.min(left, isTold ? 200 : left));
      };
      tick();
    });
  }

  async #ask(block, signal) {
    const question = new Question(block, this.#texts);
    this.#shown.append(question.element);
    this.#shown.focus({ preventScroll: true });
    this.#tell("start", block, await shownAt());
    const pressed = await this.#pressed(signal, () => {
      this.#hint.textContent = this.#texts.answerFirst;
      this.#hint.hidden = question.isComplete;
      return question.isComplete;
    });
    if (question.answer !== null) this.#tell("answer", block, pressed, { given: question.answer });
    this.#tell("end", block, pressed);
  }

  /** Text, image, page, pause and baseline: there at once, for a time or until the button. */
  async #still(block, signal) {
    if (block.kind === "image") await this.#addImage(block);
    if (block.kind === "baseline") {
      const cross = make("div", "study-cross", "+");
      cross.setAttribute("aria-hidden", "true");
      this.#shown.append(cross);
    }
    if (block.kind === "page") await this.#addFrame(block);
    if (block.text) {
      const words = make(block.kind === "text" ? "div" : "p", "study-words", block.text);
      // What is said beside a stimulus comes before it.
      if (block.kind === "text" || block.kind === "pause") this.#shown.append(words);
      else this.#shown.prepend(words);
    }
    if (signal.aborted) return;
    this.#shown.focus({ preventScroll: true });
    const started = await shownAt();
    this.#tell("start", block, started);
    let ended;
    if (block.seconds === null) {
      ended = this.#pressed(signal);
    } else {
      const left = block.kind === "pause" ? make("p", "text-body-secondary m-0") : null;
      if (left) this.#shown.append(left);
      ended = this.#passed(block.seconds, signal, started, left);
    }
    this.#tell("end", block, await ended);
  }

  async #addImage(block) {
    const image = make("img", "");
    image.alt = "";
    image.src = await this.#files.get(block);
    await image.decode();
    this.#shown.append(image);
  }

  /** Show a web page once it is there: the block begins with it, not with an empty frame. */
  async #addFrame(block) {
    const frame = make("iframe", "");
    frame.setAttribute("sandbox", "allow-scripts allow-forms");
    frame.referrerPolicy = "no-referrer";
    frame.title = block.text || block.url;
    frame.src = block.url;
    frame.style.visibility = "hidden";
    const wait = make("p", "text-body-secondary m-0", this.#texts.loading);
    const loaded = new Promise((resolve) => {
      const late = setTimeout(resolve, FRAME_MILLISECONDS);
      frame.addEventListener("load", () => { clearTimeout(late); resolve(); }, { once: true });
    });
    this.#shown.append(wait, frame);
    await loaded;
    wait.remove();
    frame.style.visibility = "";
  }

  async #play(block, signal) {
    const media = make(block.kind === "video" ? "video" : "audio", "");
    media.playsInline = true;
    media.preload = "auto";
    media.disablePictureInPicture = true;
    media.src = await this.#files.get(block);
    if (block.text) this.#shown.append(make("p", "study-words", block.text));
    if (block.kind === "sound") {
      const sign = make("div", "study-sound", "♪");
      sign.setAttribute("aria-hidden", "true");
      this.#shown.append(sign);
    }
    this.#shown.append(media);
    this.#shown.focus({ preventScroll: true });
    await this.#begin(media, signal);
    const ended = this.#ended(media, signal);
    ended.catch(() => {}); // Whoever waits for it hears of it.
    const started = await this.#started(media, signal);
    this.#tell("start", block, started);
    this.#listen(media, block, signal);
    const limit = block.seconds === null ? [] : [this.#passed(block.seconds, signal, started)];
    this.#tell("end", block, await Promise.race([ended, ...limit]));
  }

  /** Play; where the browser wants a click for that, ask for one. */
  async #begin(media, signal) {
    while (!signal.aborted) {
      try {
        await media.play();
        return;
      } catch (error) {
        if (error.name !== "NotAllowedError") throw error;
        this.#button.textContent = this.#texts.play;
        this.#hint.textContent = this.#texts.pressPlay;
        await this.#pressed(signal);
        this.#hint.hidden = true;
        this.#button.hidden = true;
      }
    }
  }

  /** When its first picture is on the screen, or its first sound is out. */
  #started(media, signal) {
    return new Promise((resolve) => {
      // A page that is not drawn hears of no frame, but knows how far the player is.
      const late = setTimeout(() => resolve(performance.now() - media.currentTime * 1000), 1000);
      const resolveOnce = (time) => { clearTimeout(late); resolve(time); };
      if ("requestVideoFrameCallback" in media) {
        // The page's clock, and how far the video was: the two give when it was at 0.
        media.requestVideoFrameCallback((_now, frame) => {
          resolveOnce(frame.expectedDisplayTime - frame.mediaTime * 1000);
        });
      } else if (media.currentTime > 0) {
        resolveOnce(performance.now() - media.currentTime * 1000);
      } else {
        media.addEventListener("timeupdate", () => {
          resolveOnce(performance.now() - media.currentTime * 1000);
        }, { once: true, signal });
      }
    });
  }

  #ended(media, signal) {
    return new Promise((resolve, reject) => {
      media.addEventListener("ended", () => resolve(performance.now()), { signal });
      media.addEventListener("error", () => reject(new Error("not loaded")), { signal });
    });
  }

  #listen(media, block, signal) {
    const at = () => ({ value: Math.round(media.currentTime * 1000) / 1000 });
    let stuck = null;
    for (const [event, name] of [["waiting", "stall"], ["playing", "play"], ["pause", "pause"]]) {
      media.addEventListener(event, () => {
        clearTimeout(stuck);
        if (media.ended) return;
        this.#tell("event", block, performance.now(), { name, ...at() });
        if (name === "pause" && !document.hidden) {
          // A key of the keyboard, or a headset: what is seen is not to be stopped.
          media.play().catch(() => {});
        }
        if (name === "stall") {
          stuck = setTimeout(() => media.dispatchEvent(new Event("error")), STUCK_MILLISECONDS);
        }
      }, { signal });
    }
    document.addEventListener("visibilitychange", () => {
      // Nobody looks; it goes on when they do again.
      if (document.hidden) media.pause();
      else media.play().catch(() => {});
    }, { signal });
  }
}
