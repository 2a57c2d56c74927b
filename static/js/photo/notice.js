// One sentence at the lower edge about what just happened, perhaps with something to do about it.

const MILLISECONDS = 6000;
let timer = 0;

/**
 * @param {string} text
 * @param {{text: string, act: () => void} | null} action
 * @param {boolean} isProblem stays until the next one
 */
export function notify(text, action = null, isProblem = false) {
  const notice = document.getElementById("notice");
  clearTimeout(timer);
  notice.classList.toggle("is-problem", isProblem);
  const words = document.createElement("span");
  words.textContent = text;
  notice.replaceChildren(words);
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = action.text;
    button.addEventListener("click", action.act, { once: true });
    notice.append(button);
  }
  if (!isProblem) timer = setTimeout(() => notice.replaceChildren(), MILLISECONDS);
}
