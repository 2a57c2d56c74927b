// The form for a video: sends it in parts, says how far it is, and goes on after a lost connection.
// Without this script, or where the site says no, the form is sent as it is.

/** Seconds after which a part is sent again, and for how long in all that is tried. */
const PAUSES = [1, 2, 4, 8, 15, 30];
const PATIENCE = 600;
/** Refusals that are over after a while: where to go on is asked for, and what is being done ends. */
const PASSING = ["wrong_offset", "incomplete"];

/** The site's refusal, in a sentence. */
export class Refused extends Error {}

/** Somebody does not want it any more. */
class Cancelled extends Error {}

/**
 * Send a file in parts.
 *
 * @param {Blob} file
 * @param {(method: string, path: string, body?: any) => Promise<{status: number, json: any}>} ask
 *   sends a request below the transfers' address; throws where the connection is lost
 * @param {object} announced what is said of it at first
 * @param {{progress: (sent: number) => void, waiting: (seconds: number | null) => void,
 *   pause: (seconds: number) => Promise<void>, isCancelled: () => boolean}} page
 * @returns {Promise<any>} the video; null where it was cancelled
 */
export async function sendInParts(file, ask, announced, page) {
  let begun = null;
  try {
    begun = await patiently(() => ask("POST", "", announced));
    let { offset } = begun;
    while (offset < file.size) {
      page.progress(offset);
      const from = offset;
      ({ offset } = await patiently(
        () => ask("PUT", `${begun.id}/part/?offset=${from}`, file.slice(from, from + begun.part_bytes)),
        // The answer may have been lost, and the part not: ask where it is to go on.
        () => ask("GET", `${begun.id}/`),
      ));
    }
    page.progress(file.size);
    return await patiently(() => ask("POST", `${begun.id}/finish/`));
  } catch (error) {
    if (begun) await ask("DELETE", `${begun.id}/`).catch(() => null);
    if (error instanceof Cancelled) return null;
    throw error;
  }

  async function patiently(request, afterwards = request) {
    let next = request;
    let waited = 0;
    for (let attempt = 0; ; attempt += 1) {
      if (page.isCancelled()) throw new Cancelled();
      let answer = null;
      try {
        answer = await next();
      } catch { /* The connection was lost. */ }
      if (answer && answer.status < 300) {
        page.waiting(null);
        return answer.json;
      }
      const isPassing = !answer || answer.status >= 500 || [408, 429].includes(answer.status) || PASSING.includes(answer.json?.code);
      const seconds = PAUSES[Math.min(attempt, PAUSES.length - 1)];
      if (!isPassing || waited > PATIENCE) throw new Refused(answer?.json?.detail ?? "");
      waited += seconds;
      page.waiting(seconds);
      await page.pause(seconds);
      next = afterwards;
    }
  }
}

function start(form) {
  const words = form.dataset;
  const box = form.querySelector("[data-sending]");
  const bar = box.querySelector("progress");
  const told = box.querySelector("[data-told]");
  const button = form.querySelector('[type="submit"]');
  const megabytes = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  const cancel = box.querySelector("[data-cancel]");
  let isCancelled = false;
  let isSending = false;

  async function ask(method, path, body) {
    const isPart = body instanceof Blob;
    const response = await fetch(words.transfers + path, {
      method,
      headers: {
        "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
        ...(body === undefined ? {} : { "Content-Type": isPart ? "application/octet-stream" : "application/json" }),
      },
      body: body === undefined || isPart ? body : JSON.stringify(body),
    });
    return { status: response.status, json: response.status === 204 ? null : await response.json() };
  }

  const page = {
    progress(sent) {
      const { size } = form.elements.video.files[0];
      bar.value = sent / size;
      told.textContent = words.sent.replace("%s", megabytes.format(sent / 1e6)).replace("%s", megabytes.format(size / 1e6));
    },
    waiting(seconds) { if (seconds !== null) told.textContent = words.waiting; },
    pause: (seconds) => new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      const go = () => { clearTimeout(timer); resolve(); };
      window.addEventListener("online", go, { once: true });
      cancel.addEventListener("click", go, { once: true });
    }),
    isCancelled: () => isCancelled,
  };

  form.addEventListener("submit", async (event) => {
    const file = form.elements.video.files[0];
    if (!file || isSending) return;
    event.preventDefault();
    isSending = true;
    isCancelled = false;
    button.disabled = true;
    box.hidden = false;
    form.querySelector("[data-refused]").hidden = true;
    try {
      const video = await sendInParts(file, ask, {
        name: file.name,
        byte_size: file.size,
        frames_per_second: Number(form.elements.frames_per_second.value),
        keep: form.elements.keep?.checked ?? null,
      }, page);
      if (video) { location.assign(video.links.page); return; }
    } catch (error) {
      const refused = form.querySelector("[data-refused]");
      refused.textContent = error instanceof Refused && error.message ? error.message : words.failed;
      refused.hidden = false;
    }
    isSending = false;
    button.disabled = false;
    box.hidden = true;
  });
  cancel.addEventListener("click", () => { isCancelled = true; });
  window.addEventListener("beforeunload", (event) => { if (isSending && bar.value < 1) event.preventDefault(); });
}

const form = globalThis.document?.getElementById("video-form");
if (form) start(form);
