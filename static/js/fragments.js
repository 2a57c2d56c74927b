// Parts of a page that are fetched after it, or again while they change. Each is an element with
// an id, `data-fragment` (an address whose page has an element with the same id) and `data-every`
// (seconds until it is fetched; what is fetched says whether and when the next time is).

function watch(element) {
  const seconds = Number(element.dataset.every);
  if (Number.isNaN(seconds) || element.dataset.every === undefined) return;
  setTimeout(() => refresh(element), seconds * 1000);
}

async function refresh(element) {
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => refresh(element), { once: true });
    return;
  }
  try {
    const response = await fetch(element.dataset.fragment, { credentials: "same-origin" });
    if (!response.ok || response.redirected) return; // Signed out: the next click says so.
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(element.id);
    if (!fresh) return;
    element.replaceWith(fresh);
    document.dispatchEvent(new CustomEvent("fragment", { detail: fresh }));
    watch(fresh);
  } catch {
    setTimeout(() => refresh(element), 10_000);
  }
}

document.querySelectorAll("[data-fragment]").forEach(watch);
