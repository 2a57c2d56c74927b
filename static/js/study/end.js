/** The page with the withdrawal code tells that it is there, and when it is left, so that nobody after
 *  sees the code. Where nobody leaves it, it goes by itself. */

const code = document.getElementById("code");
const token = document.querySelector('input[name="csrfmiddlewaretoken"]');

if (code && token) {
  const end = Date.now() + Number(code.dataset.seconds) * 1000;
  const form = new FormData();
  form.append(token.name, token.value);

  fetch(code.dataset.shown, { method: "POST", body: form, keepalive: true }).catch(() => {});

  // Timers stand still while a device sleeps: what counts is the clock.
  const leaveInTime = async () => {
    if (Date.now() < end || !code.isConnected) return;
    // At once, with the button beside it, whatever the network does.
    code.closest("section").remove();
    await fetch(code.dataset.left, { method: "POST", body: form }).catch(() => {});
    window.location.reload();
  };

  window.addEventListener("pagehide", () => navigator.sendBeacon(code.dataset.left, form));
  // By the way back, as it was in the browser's memory.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
  document.addEventListener("visibilitychange", leaveInTime);
  setInterval(leaveInTime, 1000);
}
