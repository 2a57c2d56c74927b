// The boxes of faces over time, fetched some seconds at a time.

/** How much is asked for at once, and how long before its end the next part is, in milliseconds. */
const PART = 20_000;
const AHEAD = 5_000;

/**
 * The samples that a moment shows: those of the last sampled frame, unless it is too long ago.
 *
 * @param {Array<{t: number}>} samples by time
 * @param {number} now in milliseconds
 * @param {number} step between two sampled frames, in milliseconds
 */
export function samplesAt(samples, now, step) {
  let low = 0;
  let high = samples.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (samples[middle].t <= now + 1) low = middle + 1;
    else high = middle;
  }
  if (!low) return [];
  const last = samples[low - 1].t;
  if (now - last > step * 1.5) return [];
  const found = [];
  for (let index = low - 1; index >= 0 && samples[index].t === last; index -= 1) found.unshift(samples[index]);
  return found;
}

/** Parts of a recording's boxes, each fetched once. `arrived` is called after each. */
export function boxesFrom(url, arrived) {
  const parts = new Map();

  async function load(number) {
    if (parts.has(number)) return;
    parts.set(number, []);
    try {
      const found = [];
      let after = number * PART - 1;
      while (after !== null) {
        const response = await fetch(`${url}?after_ms=${after}&to_ms=${(number + 1) * PART}`);
        if (!response.ok) throw new Error(String(response.status));
        const page = await response.json();
        for (const [t, face, x, y, width, height, label, isUncertain, p] of page.samples) {
          found.push({ t, face, x, y, width, height, label: page.labels[label], isUncertain, p });
        }
        after = page.after_ms;
      }
      parts.set(number, found);
      arrived();
    } catch {
      setTimeout(() => parts.delete(number), 3000); // Asked for again by the next frame then.
    }
  }

  return (now, step) => {
    const number = Math.floor(now / PART);
    load(number);
    if (now % PART > PART - AHEAD) load(number + 1);
    const before = now % PART < step * 2 && number ? parts.get(number - 1) ?? [] : [];
    return samplesAt([...before, ...(parts.get(number) ?? [])], now, step);
  };
}
