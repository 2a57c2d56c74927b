/** A second press while the first is on its way changes nothing. One that comes to nothing, as on a
 *  line that breaks off, can soon be repeated: the server takes it for the same one. */

const WAIT_MILLISECONDS = 5000;
let sentAt = -Infinity;

document.querySelector("form").addEventListener("submit", (event) => {
  if (performance.now() - sentAt < WAIT_MILLISECONDS) event.preventDefault();
  else sentAt = performance.now();
});
// By the way back, as it was in the browser's memory.
window.addEventListener("pageshow", () => { sentAt = -Infinity; });
