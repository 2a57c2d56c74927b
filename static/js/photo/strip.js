// On a phone the photo stays in view as a strip once it is scrolled past.

const NARROW = matchMedia("(max-width: 991.98px)");
const STRIP_PIXELS = 128;

/**
 * @param {HTMLElement} frame the photo's place on the page, which keeps its height
 * @param {(isStrip: boolean) => void} changed
 */
export function keepInView(frame, changed) {
  const set = (isStrip) => {
    if (frame.classList.contains("is-strip") === isStrip) return;
    frame.style.minHeight = isStrip ? `${frame.offsetHeight}px` : "";
    frame.classList.toggle("is-strip", isStrip);
    document.documentElement.classList.toggle("has-photo-strip", isStrip);
    changed(isStrip);
  };
  const observer = new IntersectionObserver(
    ([entry]) => set(NARROW.matches && !entry.isIntersecting && entry.boundingClientRect.top < 0),
    { rootMargin: `-${STRIP_PIXELS}px 0px 0px 0px` },
  );
  observer.observe(frame);
  NARROW.addEventListener("change", () => set(false));
  frame.querySelector(".photo-strip-back").addEventListener("click", () => {
    frame.scrollIntoView({ block: "start" });
  });
}
