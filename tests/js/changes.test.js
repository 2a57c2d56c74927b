import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { mockTimeouts } from "./timers.js";

import { FakeSocket } from "./browser.js";

const { confirmForms, watchChanges } = await import("../../static/js/changes.js");

let changed;

beforeEach(() => {
  mock.timers.reset();
  mockTimeouts();
  document.hidden = false;
  changed = [];
  watchChanges((...what) => changed.push(what), () => ["waiting"]);
});

test("without a socket it asks every few seconds", () => {
  mock.timers.tick(2500);
  assert.deepEqual(changed, [["waiting"]]);
  mock.timers.tick(2500);
  assert.equal(changed.length, 2);
});

test("beside an open socket it asks now and then", () => {
  FakeSocket.last.opens();
  assert.deepEqual(changed, [["waiting"]], "what happened before is asked for at once");
  mock.timers.tick(2500);
  mock.timers.tick(2500);
  assert.equal(changed.length, 2);
  mock.timers.tick(7500);
  assert.equal(changed.length, 3);
});

test("a page that nobody sees does not ask", () => {
  document.hidden = true;
  mock.timers.tick(2500);
  assert.deepEqual(changed, []);
});

test("what the socket says is passed on", () => {
  FakeSocket.last.says({ id: "one", status: "done" });
  assert.deepEqual(changed, [["one", "done"]]);
});

test("a lost socket is opened again, but not for somebody who has signed out", () => {
  const before = FakeSocket.all.length;
  FakeSocket.last.ends(1006);
  mock.timers.tick(1500);
  assert.equal(FakeSocket.all.length, before + 1);
  FakeSocket.last.ends(4401);
  mock.timers.tick(60_000);
  assert.equal(FakeSocket.all.length, before + 1);
});

test("nothing is deleted without a yes", () => {
  const form = Object.assign(new EventTarget(), { dataset: { confirm: "Delete?" } });
  const asked = [];
  let answer = false;
  globalThis.window = { confirm: (question) => { asked.push(question); return answer; } };
  confirmForms({ querySelectorAll: () => [form] });
  const submit = () => {
    const event = new Event("submit", { cancelable: true });
    form.dispatchEvent(event);
    return !event.defaultPrevented;
  };
  assert.equal(submit(), false);
  answer = true;
  assert.equal(submit(), true);
  assert.deepEqual(asked, ["Delete?", "Delete?"]);
});
