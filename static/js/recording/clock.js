// The moment of a recording that the page is at: the video, the timeline and the chart all show it.

/** A moment in milliseconds that any part of the page may set, and the others are told of. */
export function makeClock() {
  const listeners = new Set();
  let now = 0;
  return {
    now: () => now,
    /** Move to a moment; whoever moved it is named, so that it need not follow itself. */
    set(milliseconds, source = null) {
      const next = Math.max(0, Math.round(milliseconds));
      if (next === now) return;
      now = next;
      for (const listener of listeners) listener(now, source);
    },
    /** Call `listener(milliseconds, source)` at every change. */
    follow(listener) {
      listeners.add(listener);
      listener(now, null);
    },
  };
}

/** Milliseconds as minutes and seconds, "1:02.5". */
export function clockText(milliseconds) {
  const tenths = Math.round(milliseconds / 100);
  const minutes = Math.floor(tenths / 600);
  const seconds = Math.floor((tenths % 600) / 10);
  return `${minutes}:${String(seconds).padStart(2, "0")}.${tenths % 10}`;
}
