// Which boxes of a recording a moment of its video shows.
import assert from "node:assert/strict";
import { test } from "node:test";

import { samplesAt } from "../../static/js/recording/boxes.js";
import { clockText, makeClock } from "../../static/js/recording/clock.js";

const samples = [{ t: 0, face: 1 }, { t: 100, face: 1 }, { t: 100, face: 2 }, { t: 500, face: 1 }];
const facesAt = (now) => samplesAt(samples, now, 100).map((sample) => [sample.t, sample.face]);

test("the last sampled frame is shown until the next one", () => {
  assert.deepEqual(facesAt(0), [[0, 1]]);
  assert.deepEqual(facesAt(98), [[0, 1]]);
  assert.deepEqual(facesAt(100), [[100, 1], [100, 2]]);
  assert.deepEqual(facesAt(240), [[100, 1], [100, 2]]);
});

test("a face that has gone is not shown any more", () => {
  assert.deepEqual(facesAt(260), []);
  assert.deepEqual(facesAt(499), [[500, 1]]); // Times of videos are rounded.
  assert.deepEqual(facesAt(9000), []);
});

test("there is nothing before the first one, and nothing where there is none", () => {
  assert.deepEqual(samplesAt([{ t: 300, face: 1 }], 100, 100), []);
  assert.deepEqual(samplesAt([], 100, 100), []);
});

test("a clock tells others who moved it, once for each moment", () => {
  const clock = makeClock();
  const told = [];
  clock.follow((now, source) => told.push([now, source]));
  clock.set(1500.4, "video");
  clock.set(1500, "chart");
  clock.set(-3, "chart");
  assert.deepEqual(told, [[0, null], [1500, "video"], [0, "chart"]]);
});

test("moments are written as minutes and seconds", () => {
  assert.equal(clockText(0), "0:00.0");
  assert.equal(clockText(62_540), "1:02.5");
  assert.equal(clockText(59_960), "1:00.0");
});
