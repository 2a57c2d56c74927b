/** The page with the withdrawal code tells that it is there, and when it is left, so that nobody after
 *  sees the code. Where nobody leaves it, it goes by itself. */

/** The second press of a double one on the last *Continue* is none of this page's. */
const LATE_MILLISECONDS = 1000;

const code = document.getElementById("code");
const token = document.querySelector('input[name="csrfmiddlewaretoken"]');

if (code && token) {
  const end = Date.now() + Number(code.dataset.seconds) * 1000;
  const form = new FormData();
  form.append(token.name, token.value);

  /** The status of the answer; 0 for none. */
  const tell = async (address) => {
    const answer = await fetch(address, { method: "POST", body: form, keepalive: true }).catch(() => null);
    return answer?.status ?? 0;
  };
  // Until it is heard: a class that ends together may be too many at once.
  const tellThatItIsShown = async () => {
    const status = await tell(code.dataset.shown);
    if (status === 0 || status === 429 || status >= 500) setTimeout(tellThatItIsShown, 5000);
  };
  tellThatItIsShown();

  const deletion = document.getElementById("delete");
  const button = deletion.querySelector("button");
  setTimeout(() => { button.disabled = false; }, LATE_MILLISECONDS);
  let isDeleting = false;
  deletion.addEventListener("submit", (event) => {
    isDeleting = window.confirm(button.dataset.sure);
    if (!isDeleting) event.preventDefault();
  });

  // Timers stand still while a device sleeps: what counts is the clock.
  const leaveInTime = async () => {
    if (Date.now() < end || !code.isConnected) return;
    // At once, with the button beside it, whatever the network does.
    code.closest("section").remove();
    await tell(code.dataset.left);
    window.location.reload();
  };

  // A deletion that is refused leaves the code to be tried again.
  window.addEventListener("pagehide", () => isDeleting || navigator.sendBeacon(code.dataset.left, form));
  // By the way back, as it was in the browser's memory.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
  document.addEventListener("visibilitychange", leaveInTime);
  setInterval(leaveInTime, 1000);
}
