import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { mockTimeouts } from "./timers.js";

import { FakeSocket } from "./browser.js";

const { LiveConnection } = await import("../../static/js/live/connection.js");

let connection;
let heard;

beforeEach(() => {
  mock.timers.reset();
  mockTimeouts();
  connection = new LiveConnection();
  heard = [];
  for (const type of ["ready", "labels", "lost", "refused"]) {
    connection.addEventListener(type, (event) => heard.push([type, event.detail]));
  }
  connection.open();
  FakeSocket.last.opens();
});

test("two frames are on their way at most", () => {
  for (const frame of ["one", "two"]) {
    assert.equal(connection.hasRoom, true);
    connection.sendFrame(frame);
  }
  assert.equal(connection.hasRoom, false);
  FakeSocket.last.says({ type: "labels", frame: 1, dropped: 0 });
  assert.equal(connection.hasRoom, true);
});

test("an answer settles the frames before it, and tells how many were dropped since", () => {
  connection.sendFrame("one");
  connection.sendFrame("two");
  FakeSocket.last.says({ type: "labels", frame: 2, dropped: 1 });
  connection.sendFrame("three");
  assert.equal(connection.hasRoom, true);
  FakeSocket.last.says({ type: "labels", frame: 3, dropped: 1 });
  assert.deepEqual(heard.map(([, detail]) => detail.newlyDropped), [1, 0]);
});

const FINAL = {
  1009: "refused", 4400: "refused", 4401: "signedOut", 4402: "quota", 4403: "consent",
  4408: "refused", 4429: "sockets", 4503: "unavailable",
};
for (const [code, text] of Object.entries(FINAL)) {
  test(`after ${code} it says why and does not come back`, () => {
    const before = FakeSocket.all.length;
    FakeSocket.last.ends(Number(code));
    mock.timers.tick(60_000);
    assert.deepEqual(heard, [["refused", text]]);
    assert.equal(FakeSocket.all.length, before);
  });
}

test("after a loss it comes back, until it is closed", () => {
  const before = FakeSocket.all.length;
  FakeSocket.last.ends(1006);
  assert.deepEqual(heard, [["lost", 1006]]);
  mock.timers.tick(1000);
  assert.equal(FakeSocket.all.length, before + 1);
  FakeSocket.last.ends(1006);
  connection.close();
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, before + 1);
});
