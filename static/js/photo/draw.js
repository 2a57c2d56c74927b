// Draws a box where a face was missed: by dragging, or by moving and stretching one with the keys.

const LEAST_PIXELS = 8;
const STEP = 0.02;
const NS = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLElement} frame with the photo and the button that begins
 * @param {{told: (text: string) => void, whole: {width: number, height: number}}} options
 */
export function drawable(frame, { told, whole }) {
  const svg = frame.querySelector("svg.photo-canvas");
  const button = frame.querySelector("[data-draw]");
  const dialog = document.getElementById("draw");
  if (!button || !dialog) return;
  const form = dialog.querySelector("form");
  const rect = document.createElementNS(NS, "rect");
  rect.setAttribute("class", "drawn-box");
  let box = null;
  let from = null;

  const isDrawing = () => svg.classList.contains("is-drawing");
  const bounded = (value, most) => Math.max(0, Math.min(value, most));

  function show(next) {
    box = {
      x: Math.round(bounded(next.x, whole.width - LEAST_PIXELS)),
      y: Math.round(bounded(next.y, whole.height - LEAST_PIXELS)),
    };
    box.width = Math.round(Math.max(LEAST_PIXELS, Math.min(next.width, whole.width - box.x)));
    box.height = Math.round(Math.max(LEAST_PIXELS, Math.min(next.height, whole.height - box.y)));
    for (const [name, value] of Object.entries(box)) rect.setAttribute(name, value);
  }

  function begin() {
    const { x, y, width, height } = svg.viewBox.baseVal;
    const side = Math.min(width, height) / 5;
    svg.classList.add("is-drawing");
    button.setAttribute("aria-pressed", "true");
    svg.append(rect);
    show({ x: x + (width - side) / 2, y: y + (height - side) / 2, width: side, height: side });
    told(button.dataset.help);
  }

  function end() {
    svg.classList.remove("is-drawing");
    button.setAttribute("aria-pressed", "false");
    rect.remove();
    from = null;
  }

  function ask() {
    for (const [name, value] of Object.entries(box)) form.elements[name].value = value;
    dialog.showModal();
  }

  button.addEventListener("click", () => (isDrawing() ? end() : begin()));
  dialog.addEventListener("close", end);

  const at = (event) => new DOMPoint(event.clientX, event.clientY)
    .matrixTransform(svg.getScreenCTM().inverse());
  // Before the photo's own handlers: what draws does not move, and opens no card.
  const listen = (type, act) => svg.addEventListener(type, (event) => {
    if (!isDrawing()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act(event);
  }, { capture: true });
  listen("pointerdown", (event) => {
    from = at(event);
    svg.setPointerCapture(event.pointerId);
  });
  listen("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    show({
      x: Math.min(from.x, to.x), y: Math.min(from.y, to.y),
      width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y),
    });
  });
  listen("pointerup", () => {
    if (!from) return;
    from = null;
    if (Math.min(box.width, box.height) > LEAST_PIXELS) ask();
  });
  for (const type of ["click", "dblclick", "wheel"]) listen(type, () => {});

  button.addEventListener("keydown", (event) => {
    if (!isDrawing()) return;
    const step = STEP * Math.min(svg.viewBox.baseVal.width, svg.viewBox.baseVal.height);
    const [x, y] = {
      ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step],
    }[event.key] ?? [0, 0];
    if (event.key === "Enter") ask();
    else if (event.key === "Escape") end();
    else if (!x && !y) return;
    else if (event.shiftKey) show({ ...box, width: box.width + x, height: box.height + y });
    else show({ ...box, x: bounded(box.x + x, whole.width - box.width), y: bounded(box.y + y, whole.height - box.height) });
    event.preventDefault();
    event.stopPropagation();
  });
}
