// The arithmetic of a recording's chart: what is drawn from what the server sums up.
// A series is { t, n, p }: times in milliseconds, samples behind each, probabilities by label.

/** Indices that belong together: a new run begins where nothing was seen for longer than `limit`. */
export function runs(times, limit) {
  const found = [];
  times.forEach((time, index) => {
    if (index && time - times[index - 1] <= limit) found.at(-1).push(index);
    else found.push([index]);
  });
  return found;
}

/** How far apart samples may be and still be joined: two places, and never less than a second. */
export const longestJoin = (step) => Math.max(1000, step * 2.5);

/**
 * Averages over a time, within each run, weighted by samples.
 *
 * @param {{t: number[], n: number[], p: Object<string, number[]>}} series
 * @param {number} width over how many milliseconds; 0 leaves it as it is
 * @param {number} limit of {@link runs}
 */
export function smooth(series, width, limit) {
  if (!width) return series;
  const p = Object.fromEntries(Object.keys(series.p).map((label) => [label, [...series.p[label]]]));
  for (const run of runs(series.t, limit)) {
    let first = 0;
    let last = -1;
    let weight = 0;
    const sums = Object.fromEntries(Object.keys(p).map((label) => [label, 0]));
    const add = (index, sign) => {
      weight += sign * series.n[index];
      for (const label of Object.keys(p)) sums[label] += sign * series.n[index] * series.p[label][index];
    };
    for (const index of run) {
      while (last + 1 < run.length && series.t[run[last + 1]] <= series.t[index] + width / 2) {
        last += 1;
        add(run[last], 1);
      }
      while (series.t[run[first]] < series.t[index] - width / 2) {
        add(run[first], -1);
        first += 1;
      }
      for (const label of Object.keys(p)) p[label][index] = sums[label] / weight;
    }
  }
  return { ...series, p };
}

/** Means of a series by label, weighted by samples; null where there are none. */
export function means(series) {
  const total = series.n.reduce((sum, n) => sum + n, 0);
  if (!total) return null;
  return Object.fromEntries(Object.entries(series.p).map(
    ([label, values]) => [label, values.reduce((sum, value, index) => sum + value * series.n[index], 0) / total],
  ));
}

/** The changes of a series from means by label. */
export function subtract(series, from) {
  const p = Object.fromEntries(Object.entries(series.p).map(
    ([label, values]) => [label, values.map((value) => value - (from[label] ?? 0))],
  ));
  return { ...series, p };
}

/** A view cut into equal parts, with the means of each: the chart as a table. */
export function slices(series, view, count) {
  const length = (view.to - view.from) / count;
  return Array.from({ length: count }, (_nothing, place) => {
    const from = view.from + place * length;
    const inside = [...series.t.keys()]
      .filter((index) => series.t[index] >= from && series.t[index] < from + length);
    const part = {
      t: inside.map((index) => series.t[index]),
      n: inside.map((index) => series.n[index]),
      p: Object.fromEntries(Object.entries(series.p).map(([label, values]) => [label, inside.map((index) => values[index])])),
    };
    return { from, to: from + length, means: means(part) };
  });
}

/** Another view: `factor` < 1 comes closer, `share` pans; within the recording, never below 500 ms. */
export function moved(view, length, { factor = 1, share = 0, at = (view.from + view.to) / 2 }) {
  const size = Math.min(length, Math.max(Math.min(500, length), (view.to - view.from) * factor));
  const place = (at - view.from) / (view.to - view.from || 1);
  const from = Math.min(length - size, Math.max(0, at - place * size + share * size));
  return { from: Math.round(from), to: Math.round(from + size) };
}

/** Stacked areas from the bottom up, as paths in a box of `width` × `height`. */
export function stackedPaths(series, labels, view, limit, width, height) {
  const x = (time) => (((time - view.from) / (view.to - view.from)) * width).toFixed(1);
  const paths = Object.fromEntries(labels.map((label) => [label, ""]));
  for (const run of runs(series.t, limit)) {
    const below = run.map(() => 0);
    for (const label of labels) {
      const above = run.map((index, place) => below[place] + (series.p[label]?.[index] ?? 0));
      const y = (share) => ((1 - Math.min(1, share)) * height).toFixed(1);
      // A lone sample has a width of its own, or it could not be seen.
      const ends = run.length > 1 ? (index) => x(series.t[index]) : null;
      const top = ends ? run.map((index, place) => `${ends(index)},${y(above[place])}`) : lone(series.t[run[0]], y(above[0]));
      const bottom = ends ? run.map((index, place) => `${ends(index)},${y(below[place])}`) : lone(series.t[run[0]], y(below[0]));
      paths[label] += `M${top.join("L")}L${bottom.reverse().join("L")}Z`;
      above.forEach((value, place) => { below[place] = value; });
    }
  }
  return paths;

  function lone(time, y) {
    return [`${x(time)},${y}`, `${(Number(x(time)) + 1).toFixed(1)},${y}`];
  }
}

/** One line for each label, as paths; values from `low` to `high`. */
export function linePaths(series, labels, view, limit, width, height, low = 0, high = 1) {
  const x = (time) => (((time - view.from) / (view.to - view.from)) * width).toFixed(1);
  const y = (value) => (((high - Math.min(high, Math.max(low, value))) / (high - low)) * height).toFixed(1);
  const joined = runs(series.t, limit);
  return Object.fromEntries(labels.map((label) => [
    label,
    series.p[label] ? joined.map((run) => `M${run.map((index) => `${x(series.t[index])},${y(series.p[label][index])}`).join("L")}${run.length === 1 ? "h1" : ""}`).join("") : "",
  ]));
}
