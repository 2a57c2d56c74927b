// The arithmetic of a recording's chart.
import assert from "node:assert/strict";
import { test } from "node:test";

import { linePaths, means, moved, runs, slices, smooth, stackedPaths, subtract } from "../../static/js/recording/series.js";

const series = { t: [0, 100, 200, 5000], n: [1, 1, 2, 1], p: { happy: [0, 1, 0.5, 1], sad: [1, 0, 0.5, 0] } };
const close = (found, expected) => found.forEach((value, index) => assert.ok(Math.abs(value - expected[index]) < 1e-9, `${found}`));

test("nothing is joined across a gap", () => {
  assert.deepEqual(runs(series.t, 1000), [[0, 1, 2], [3]]);
  assert.deepEqual(runs([], 1000), []);
});

test("smoothing averages within a run, by samples, and can be switched off", () => {
  assert.equal(smooth(series, 0, 1000), series);
  const smoothed = smooth(series, 200, 1000).p;
  close(smoothed.happy, [0.5, 0.5, 2 / 3, 1]);
  close(smoothed.sad, [0.5, 0.5, 1 / 3, 0]);
  close(series.p.happy, [0, 1, 0.5, 1]); // What was measured stays.
});

test("means count samples, and there are none of nothing", () => {
  assert.deepEqual(means(series), { happy: 0.6, sad: 0.4 });
  assert.equal(means({ t: [], n: [], p: { happy: [] } }), null);
});

test("a baseline is subtracted", () => {
  close(subtract(series, { happy: 0.5 }).p.happy, [-0.5, 0.5, 0, 0.5]);
  close(subtract(series, { happy: 0.5 }).p.sad, series.p.sad);
});

test("a view is cut into equal parts", () => {
  const [first, second] = slices(series, { from: 0, to: 400 }, 2);
  assert.deepEqual([first.from, first.to, first.means.happy], [0, 200, 0.5]);
  assert.equal(second.means.happy, 0.5);
  assert.equal(slices(series, { from: 1000, to: 2000 }, 1)[0].means, null);
});

test("a view stays within the recording", () => {
  const whole = { from: 0, to: 10_000 };
  assert.deepEqual(moved(whole, 10_000, { factor: 0.5, at: 2000 }), { from: 1000, to: 6000 });
  assert.deepEqual(moved({ from: 1000, to: 6000 }, 10_000, { factor: Infinity }), whole);
  assert.deepEqual(moved({ from: 1000, to: 6000 }, 10_000, { share: -1 }), { from: 0, to: 5000 });
  assert.deepEqual(moved({ from: 1000, to: 6000 }, 10_000, { share: 5 }), { from: 5000, to: 10_000 });
  assert.deepEqual(moved({ from: 1000, to: 1500 }, 10_000, { factor: 0.5 }), { from: 1000, to: 1500 });
  assert.deepEqual(moved({ from: 0, to: 200 }, 200, { factor: 0.5 }), { from: 0, to: 200 });
});

test("areas lie on each other and end at a gap", () => {
  const paths = stackedPaths(series, ["happy", "sad"], { from: 0, to: 10_000 }, 1000, 1000, 100);
  assert.equal(paths.happy.split("M").length, 3);
  assert.ok(paths.happy.startsWith("M0.0,100.0L10.0,0.0L20.0,50.0L20.0,100.0"));
  assert.ok(paths.sad.startsWith("M0.0,0.0L10.0,0.0L20.0,0.0L20.0,50.0L10.0,0.0L0.0,100.0Z"));
  assert.ok(!JSON.stringify(paths).includes("NaN"));
});

test("lines keep to their frame", () => {
  const paths = linePaths({ t: [0, 100], n: [1, 1], p: { happy: [-3, 0] } }, ["happy", "other"], { from: 0, to: 100 }, 1000, 1000, 100, -1, 1);
  assert.deepEqual(paths, { happy: "M0.0,100.0L1000.0,50.0", other: "" });
});
