// Keys without a modifier. They can be switched off where their list is shown.

const SWITCH = "keys-off";

const isTyping = (target) => target.closest?.(
  'input:not([type="checkbox"]), select, textarea, [contenteditable], dialog, [popover]',
);

/**
 * @param {(event: KeyboardEvent) => boolean} act does what a key stands for; false where it
 *   stands for nothing
 */
export function listenToKeys(act) {
  const list = document.getElementById("keys");
  const toggle = document.getElementById("keys-switch");
  if (toggle) {
    toggle.checked = localStorage.getItem(SWITCH) === null;
    toggle.addEventListener("change", () => {
      if (toggle.checked) localStorage.removeItem(SWITCH);
      else localStorage.setItem(SWITCH, "1");
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTyping(event.target)) return;
    if (localStorage.getItem(SWITCH) !== null) return;
    if (event.key === "?") {
      list?.togglePopover();
      event.preventDefault();
    } else if (act(event)) {
      event.preventDefault();
    }
  });
}
