// Sends an answer about a face behind the page.

/**
 * Send a form with a label.
 *
 * @param {HTMLFormElement} form
 * @param {string} label empty to take an answer back
 * @returns {Promise<{page?: Document, why?: string}>} the page that followed, or a sentence about
 *   why there is none
 */
export async function post(form, label) {
  const texts = document.getElementById("texts").dataset;
  const body = new URLSearchParams(new FormData(form));
  body.set("label", label);
  try {
    const response = await fetch(form.action, { method: "POST", body });
    if (response.redirected && new URL(response.url).pathname.startsWith("/accounts/")) {
      return { why: texts.signedOut };
    }
    if (!response.ok) return { why: texts.failed };
    return { page: new DOMParser().parseFromString(await response.text(), "text/html") };
  } catch {
    return { why: texts.offline };
  }
}
