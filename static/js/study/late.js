/** Buttons that can be pressed only once the page has been there for a moment: the second press of a
 *  double one falls on whatever comes next. */

const MILLISECONDS = 1000;

const late = document.querySelectorAll("button[data-late]");
const enable = () => late.forEach((button) => { button.disabled = false; });
setTimeout(enable, MILLISECONDS);
