// Tells a page which uploads changed: at once by WebSocket, and by asking now and then, because
// a socket may be refused, cut or silent. The server's row is the truth; this is only a hint.

const POLL_MILLISECONDS = 2500;
const POLL_MILLISECONDS_WITH_SOCKET = 10000;
const LONGEST_WAIT_MILLISECONDS = 30000;

/**
 * @param {(id: string, status?: string) => void} changed called with the id of an upload that may
 *   have changed, and its status where it is known
 * @param {() => string[]} waiting ids of the uploads that are not finished yet
 */
export function watchChanges(changed, waiting) {
  let socketIsOpen = false;
  let wait = 1000;

  const connect = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/uploads/`);
    socket.addEventListener("open", () => {
      socketIsOpen = true;
      wait = 1000;
      waiting().forEach((id) => changed(id)); // What happened before the socket was open.
    });
    socket.addEventListener("message", (event) => {
      const { id, status } = JSON.parse(event.data);
      changed(id, status);
    });
    socket.addEventListener("close", (event) => {
      socketIsOpen = false;
      if (event.code === 4401) return; // Signed out: asking again would not help.
      setTimeout(connect, wait * (0.5 + Math.random()));
      wait = Math.min(wait * 2, LONGEST_WAIT_MILLISECONDS);
    });
  };
  connect();

  const poll = () => {
    if (!document.hidden) waiting().forEach((id) => changed(id));
    setTimeout(poll, socketIsOpen ? POLL_MILLISECONDS_WITH_SOCKET : POLL_MILLISECONDS);
  };
  setTimeout(poll, POLL_MILLISECONDS);
}

/** Fetch a page of ours and give its document; null if it cannot be had now. */
export async function fetchDocument(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    if (!response.ok || response.redirected) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/** Send a form as if its button had been pressed; the document that followed, or null. */
export async function postForm(form, submitter) {
  try {
    const body = new URLSearchParams(new FormData(form, submitter));
    const response = await fetch(form.action, { method: "POST", body });
    if (!response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch {
    return null;
  }
}

/** Ask before a form does what cannot be undone. */
export function confirmForms(root = document) {
  for (const form of root.querySelectorAll("form[data-confirm]")) {
    form.addEventListener("submit", (event) => {
      if (!window.confirm(form.dataset.confirm)) event.preventDefault();
    });
  }
  // One of several buttons of a form.
  for (const button of root.querySelectorAll("button[data-confirm]")) {
    button.addEventListener("click", (event) => {
      if (!window.confirm(button.dataset.confirm)) event.preventDefault();
    });
  }
}
