// The API's page: Swagger UI comes when somebody asks for it, by the button or by the URL of an
// operation (#/uploads/uploads_create), which it then opens.
const section = document.getElementById("reference-section");
const offer = document.getElementById("reference-offer");
const button = document.getElementById("open-reference");
const state = document.getElementById("reference-state");
let isOpen = false;

/** Add an element that fetches a file to the head; resolves once that is there. */
function fetched(element, before = null) {
  return new Promise((resolve, reject) => {
    element.onload = resolve;
    element.onerror = () => {
      element.remove();
      reject(new Error("not loaded"));
    };
    document.head.insertBefore(element, before);
  });
}

function script(address) {
  return fetched(Object.assign(document.createElement("script"), { src: address }));
}

/** @returns {Promise<boolean>} whether it is there now, and was not before. */
async function open() {
  if (isOpen) return false;
  isOpen = true;
  button.disabled = true;
  state.textContent = state.dataset.loading;
  const { style, bundle, start } = section.dataset;
  const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: style });
  try {
    // Before the page's own rules, which change some of its colours.
    await fetched(sheet, document.querySelector('link[href*="css/docs"]'));
    await script(bundle);
    await script(start);
  } catch {
    isOpen = false;
    button.disabled = false;
    state.textContent = state.dataset.failed;
    return false;
  }
  offer.hidden = true;
  document.getElementById("main").removeAttribute("role");
  return true;
}

/** A URL of an operation or a group is the reference's. */
const isAsked = () => location.hash.startsWith("#/");

/** The line of the reference that the URL names, if it does, once there are lines. */
function line() {
  const root = document.getElementById("swagger-ui");
  const found = () => [...root.querySelectorAll("a")].find((link) => link.hash === location.hash);
  return new Promise((resolve) => {
    const observer = new MutationObserver(look);
    function look() {
      if (!root.querySelector(".opblock")) return;
      observer.disconnect();
      resolve(found());
    }
    observer.observe(root, { childList: true, subtree: true });
    look();
  });
}

/** Go where the URL says. */
async function follow() {
  // Swagger UI reads the URL once, when it has come, and does not scroll.
  const isNew = await open();
  const link = isOpen ? await line() : null;
  const control = link?.closest(".opblock-summary-control");
  if (!isNew && control?.ariaExpanded === "false") control.click();
  (control ?? link)?.focus({ preventScroll: true });
  (link?.closest(".opblock") ?? link)?.scrollIntoView();
}

// Without this script they lead to their own lines.
for (const link of document.querySelectorAll("[data-reference]")) {
  link.href = link.dataset.reference;
}
button.hidden = false;
button.addEventListener("click", async () => {
  if (await open()) document.getElementById("reference").focus();
});
addEventListener("hashchange", () => { if (isAsked()) follow(); });
if (isAsked()) follow();
