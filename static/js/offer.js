// Asks what becomes of photos that were shared with the app. Any site can send some there, so they
// are uploaded only by a click of whoever is signed in.
import { forgetOldShared, forgetShared, LONGEST_MILLISECONDS, takeShared } from "./shared.js";

const box = document.getElementById("shared");
const text = document.getElementById("shared-text");
const announcer = document.getElementById("announcer");

/** What the box speaks of: photos that come later are not uploaded by its button. */
let offered = [];

async function show() {
  const { keys, isCut } = await forgetOldShared();
  offered = keys;
  box.hidden = !keys.length;
  if (box.hidden) return;
  text.textContent = keys.length === 1 ? box.dataset.one : box.dataset.many.replace("{number}", keys.length);
  document.getElementById("shared-left-out").hidden = !isCut;
  announcer.textContent = text.textContent;
  setTimeout(show, LONGEST_MILLISECONDS);
}

function close() {
  box.hidden = true;
  document.getElementById("images").focus(); // The focus was on a button that is gone.
}

/** Show what waits, if anything does; `send` is called with the files once they are to be uploaded. */
export async function offerShared(send) {
  document.getElementById("shared-upload").addEventListener("click", async () => {
    const keys = offered;
    offered = [];
    close();
    send(await takeShared(keys));
  });
  document.getElementById("shared-discard").addEventListener("click", () => {
    close();
    forgetShared();
  });
  await show();
}
