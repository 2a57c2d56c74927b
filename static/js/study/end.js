/** The page with the withdrawal code tells when it is left, so that nobody after sees the code. */

const code = document.getElementById("code");
const token = document.querySelector('input[name="csrfmiddlewaretoken"]');

if (code && token) {
  window.addEventListener("pagehide", () => {
    const form = new FormData();
    form.append(token.name, token.value);
    navigator.sendBeacon(code.dataset.left, form);
  });
  // By the way back, as it was in the browser's memory.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
}
