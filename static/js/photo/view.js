// Zoom and pan: the part of the photo that its SVG shows. Boxes and tags come along by themselves.

const MOST = 8;
const STEP = 1.5;
/** How far a finger goes sideways until that is a swipe, in pixels of the screen. */
const SWIPE = 60;

/**
 * Let people zoom and move a photo by wheel, fingers, double click, keys and buttons.
 *
 * @param {HTMLElement} frame with the SVG and the buttons
 * @param {{changed: () => void, swiped: (step: 1 | -1) => void}} told
 */
export function zoomable(frame, told) {
  const svg = frame.querySelector("svg.photo-canvas");
  const image = svg.querySelector("image");
  const whole = {
    width: Number(image.getAttribute("width")), height: Number(image.getAttribute("height")),
  };
  const pointers = new Map();
  let view = { x: 0, y: 0, zoom: 1 };
  let start = null;
  let isMoving = false;

  function show(x, y, zoom) {
    zoom = Math.max(1, Math.min(MOST, zoom));
    const width = whole.width / zoom;
    const height = whole.height / zoom;
    view = {
      x: Math.max(0, Math.min(x, whole.width - width)),
      y: Math.max(0, Math.min(y, whole.height - height)),
      zoom,
    };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${width} ${height}`);
    svg.classList.toggle("is-zoomed", zoom > 1);
    for (const button of frame.querySelectorAll("[data-zoom]")) {
      button.disabled = button.dataset.zoom === "in" ? zoom >= MOST : zoom <= 1;
    }
    told.changed();
  }

  /** The photo's pixel at a place of the screen. */
  const at = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM().inverse());

  /** Zoom, with what is at a place of the screen staying there. */
  function zoomAt(clientX, clientY, zoom) {
    const bounded = Math.max(1, Math.min(MOST, zoom));
    const point = at(clientX, clientY);
    const share = view.zoom / bounded;
    show(point.x - (point.x - view.x) * share, point.y - (point.y - view.y) * share, bounded);
  }

  function zoomBy(factor) {
    const { left, top, width, height } = svg.getBoundingClientRect();
    zoomAt(left + width / 2, top + height / 2, view.zoom * factor);
  }

  const fit = () => show(0, 0, 1);

  /** Move by shares of what is seen. */
  function pan(x, y) {
    show(view.x + (x * whole.width) / view.zoom, view.y + (y * whole.height) / view.zoom, view.zoom);
  }

  /** Show a box with what is round it, as far in as it takes. */
  function showBox(box, zoom = view.zoom) {
    const width = whole.width / zoom;
    const height = whole.height / zoom;
    show(box.x + box.width / 2 - width / 2, box.y + box.height / 2 - height / 2, zoom);
  }

  svg.addEventListener("wheel", (event) => {
    const isIn = event.deltaY < 0;
    // What would leave the photo as it is scrolls the page, and so does reading upwards.
    if (!event.ctrlKey && view.zoom === 1 && (!isIn || scrollY > 0)) return;
    event.preventDefault();
    zoomAt(event.clientX, event.clientY, view.zoom * Math.exp(-event.deltaY / (event.ctrlKey ? 100 : 400)));
  }, { passive: false });

  svg.addEventListener("dblclick", (event) => {
    event.preventDefault();
    if (view.zoom > 1) fit();
    else zoomAt(event.clientX, event.clientY, 2.5);
  });

  const middle = () => {
    const all = [...pointers.values()];
    return {
      x: all.reduce((sum, point) => sum + point.x, 0) / all.length,
      y: all.reduce((sum, point) => sum + point.y, 0) / all.length,
      spread: all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0,
    };
  };

  function begin() {
    const now = middle();
    start = { ...now, zoom: view.zoom, point: at(now.x, now.y) };
  }

  svg.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    isMoving = false;
    begin();
  });

  svg.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId) || !start) return;
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const now = middle();
    if (Math.hypot(now.x - start.x, now.y - start.y) > 6 || pointers.size > 1) isMoving = true;
    if (!isMoving || (view.zoom === 1 && pointers.size < 2)) return;
    if (!svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
    const zoom = start.spread ? start.zoom * (now.spread / start.spread) : view.zoom;
    show(view.x, view.y, zoom);
    const drawn = at(now.x, now.y);
    show(view.x + start.point.x - drawn.x, view.y + start.point.y - drawn.y, zoom);
  });

  function end(event) {
    const pressed = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (pointers.size) {
      begin();
      return;
    }
    if (event.type === "pointerup" && event.pointerType === "touch" && pressed && start && view.zoom === 1) {
      const across = event.clientX - start.x;
      if (Math.abs(across) > SWIPE && Math.abs(across) > 2 * Math.abs(event.clientY - start.y)) {
        told.swiped(across < 0 ? 1 : -1);
      }
    }
    start = null;
  }
  svg.addEventListener("pointerup", end);
  svg.addEventListener("pointercancel", end);
  // What ended a movement is no click on the box below.
  svg.addEventListener("click", (event) => {
    if (isMoving) {
      event.preventDefault();
      event.stopPropagation();
    }
    isMoving = false;
  }, { capture: true });
  svg.addEventListener("dragstart", (event) => event.preventDefault());

  frame.addEventListener("click", (event) => {
    const wish = event.target.closest("[data-zoom]")?.dataset.zoom;
    if (wish === "fit") fit();
    else if (wish) zoomBy(wish === "in" ? STEP : 1 / STEP);
  });

  return { svg, fit, pan, showBox, zoomBy, step: STEP, isZoomed: () => view.zoom > 1, whole };
}
