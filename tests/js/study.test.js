import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { mockTimeouts } from "./timers.js";

import { FakeSocket } from "./browser.js";

const { CameraCheck } = await import("../../static/js/study/advice.js");
const { Outbox } = await import("../../static/js/study/outbox.js");
const { brightness, packed, Pace } = await import("../../static/js/study/frames.js");
const { StudySocket } = await import("../../static/js/study/socket.js");

class FakeStorage {
  kept = new Map();

  getItem(key) {
    return this.kept.get(key) ?? null;
  }

  setItem(key, text) {
    this.kept.set(key, text);
  }

  removeItem(key) {
    this.kept.delete(key);
  }
}

// Reports --------------------------------------------------------------------------------------

function outboxes() {
  const sent = [];
  const storage = new FakeStorage();
  let isOpen = true;
  const send = (message) => {
    if (isOpen) sent.push(message);
    return isOpen;
  };
  return {
    sent, storage,
    make: (origin = 1000) => new Outbox(send, storage, "p", origin),
    cut: (cut = true) => { isOpen = !cut; },
  };
}

test("reports leave one after the other, once each is acknowledged", () => {
  const { make, sent } = outboxes();
  const outbox = make();
  const first = outbox.add("start", 10, { block: 3 });
  const second = outbox.add("end", 20, { block: 3 });
  assert.deepEqual(sent, [{ type: "start", n: first, clock: 10, block: 3 }]);
  outbox.settle(first);
  assert.deepEqual(sent.at(-1), { type: "end", n: second, clock: 20, block: 3 });
  outbox.settle(first); // An old one again means nothing.
  assert.equal(outbox.isEmpty, false);
  outbox.settle(second);
  assert.equal(outbox.isEmpty, true);
  assert.equal(sent.length, 2);
});

test("what was not acknowledged is sent again by a new socket", () => {
  const { make, sent, cut } = outboxes();
  const outbox = make();
  outbox.add("start", 10, { block: 3 });
  cut();
  outbox.begin();
  cut(false);
  outbox.begin();
  assert.deepEqual(sent.map(({ n }) => n), [1, 1]);
});

test("a reload keeps reports, and tells their times by the new clock", () => {
  const { make, sent, storage, cut } = outboxes();
  cut();
  const before = make(1000);
  before.add("start", 500, { block: 3 });
  before.add("end", 800, { block: 3 });
  cut(false);
  const after = make(2000); // Its clock began a second later.
  assert.equal(after.hasEnded(3), true);
  assert.equal(after.hasEnded(4), false);
  after.begin();
  assert.deepEqual(sent, [{ type: "start", n: 1, clock: -500, block: 3 }]);
  assert.equal(after.add("start", 5, { block: 4 }), 3);
  for (const n of [1, 2, 3]) after.settle(n);
  assert.equal(storage.kept.size, 0);
});

test("what a storage holds that is no list is nothing", () => {
  for (const text of ["nonsense", "{}", "7"]) {
    const { make, storage } = outboxes();
    storage.setItem("study-p", text);
    assert.equal(make().isEmpty, true);
  }
});

test("whoever stops waits until everything is acknowledged", async () => {
  const { make, sent } = outboxes();
  const outbox = make();
  await outbox.emptied(60_000);
  outbox.add("end", 5, { block: "a" });
  outbox.add("event", 6, { block: "a", name: "hidden" });
  let isEmpty = false;
  const emptied = outbox.emptied(60_000).then(() => { isEmpty = true; });
  outbox.settle(sent[0].n);
  await Promise.resolve();
  assert.equal(isEmpty, false);
  outbox.settle(sent[1].n);
  await emptied;
});

test("but not for ever", async () => {
  const { make, cut } = outboxes();
  cut();
  const outbox = make();
  outbox.add("end", 5, { block: "a" });
  const waited = outbox.emptied(2000);
  mock.timers.tick(2000);
  await waited;
  assert.equal(outbox.isEmpty, false);
});

// Camera check ---------------------------------------------------------------------------------

const GOOD = { faces: 1, height: 0.5, rate: 5, light: 0.5 };

function checked(frame, n = 15) {
  const check = new CameraCheck();
  for (let index = 0; index < n; index += 1) check.add({ ...GOOD, ...frame });
  return check;
}

const ADVICE = [
  ["good", {}], ["face", { faces: 0 }], ["alone", { faces: 2 }], ["dark", { light: 0.1 }],
  ["dark", { light: 0.1, faces: 0 }], ["bright", { light: 0.95 }], ["far", { height: 0.1 }],
  ["slow", { rate: 1.5 }],
];
for (const [advice, frame] of ADVICE) {
  test(`the advice is ${advice} for ${JSON.stringify(frame)}`, () => {
    assert.equal(checked(frame).advice, advice);
  });
}

test("nothing is said of the first frames, and a face is needed to go on", () => {
  assert.equal(checked({}, 5).advice, "wait");
  assert.equal(checked({}, 5).isPassed, false);
  assert.equal(checked({}).isPassed, true);
  assert.equal(checked({ light: 0.1, rate: 1 }).isPassed, true);
  assert.equal(checked({ faces: 0 }).isPassed, false);
});

test("somebody who sits down is seen soon", () => {
  const check = checked({ faces: 0 }, 60);
  for (let index = 0; index < 12; index += 1) check.add(GOOD);
  assert.equal(check.advice, "good");
  assert.equal(check.isPassed, true);
});

// Frames ---------------------------------------------------------------------------------------

test("a frame is eight bytes of time and the picture", async () => {
  const bytes = new DataView(await packed(1234.5, new Blob(["jpeg"])).arrayBuffer());
  assert.equal(bytes.byteLength, 12);
  assert.equal(bytes.getFloat64(0, false), 1234.5);
  assert.equal(bytes.getUint8(8), "j".charCodeAt(0));
});

test("brightness is a mean from black to white", () => {
  assert.equal(brightness([0, 0, 0, 255]), 0);
  assert.ok(Math.abs(brightness([255, 255, 255, 255]) - 1) < 1e-9);
  assert.ok(Math.abs(brightness([0, 0, 0, 255, 255, 255, 255, 255]) - 0.5) < 1e-9);
});

test("of a camera's thirty frames a second five are due, evenly", () => {
  const pace = new Pace(5);
  const due = [];
  for (let frame = 0; frame < 90; frame += 1) {
    if (pace.isDue(frame * 1000 / 30)) due.push(frame);
  }
  assert.ok(due.length === 15 || due.length === 16, String(due.length));
  // After a break they do not come all at once.
  assert.equal(pace.isDue(60_000), true);
  assert.equal(pace.isDue(60_033), false);
});

test("after a late frame the next does not follow at once, and is in step again", () => {
  const pace = new Pace(5);
  const due = [0, 350, 390, 420, 450, 590, 600, 640].filter((moment) => pace.isDue(moment));
  assert.deepEqual(due, [0, 350, 450, 640]);
});

// Socket ---------------------------------------------------------------------------------------

let socket;
let heard;
let answer;
const settled = () => new Promise((resolve) => { setImmediate(resolve); });

beforeEach(async () => {
  mock.timers.reset();
  mockTimeouts();
  answer = { type: "basic", status: 200, ok: true, json: async () => ({ token: "t1" }) };
  globalThis.fetch = async () => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  socket = new StudySocket("/token/", "csrf");
  heard = [];
  for (const type of ["line", "ready", "lost", "finished", "refused", "check"]) {
    socket.addEventListener(type, ({ detail }) => heard.push([type, detail]));
  }
});

async function open() {
  await socket.open();
  FakeSocket.last.opens();
}

test("it waits in the line, answers to the clock, and is ready then", async () => {
  await open();
  FakeSocket.last.says({ type: "line", place: 2 });
  assert.deepEqual(heard, [["line", 2]]);
  assert.equal(socket.send({ type: "start" }), false);
  FakeSocket.last.says({ type: "ping", id: 4 });
  const pong = JSON.parse(FakeSocket.last.sent.at(-1));
  assert.equal(pong.id, 4);
  assert.equal(typeof pong.clock, "number");
  FakeSocket.last.says({ type: "ready" });
  assert.equal(socket.send({ type: "start" }), true);
  assert.equal(socket.isReady, true);
});

test("two frames are on their way at most, and either answer settles them", async () => {
  await open();
  FakeSocket.last.says({ type: "ready" });
  socket.sendFrame(1, new Blob(["a"]));
  socket.sendFrame(2, new Blob(["b"]));
  assert.equal(socket.hasRoom, false);
  FakeSocket.last.says({ type: "seen", frame: 2 });
  assert.equal(socket.hasRoom, true);
  socket.sendFrame(3, new Blob(["c"]));
  socket.sendFrame(4, new Blob(["d"]));
  FakeSocket.last.says({ type: "error", code: "damaged", frame: 3 });
  assert.equal(socket.hasRoom, true);
});

const FINAL = { 4400: "refused", 4404: "gone", 4409: "replaced", 4413: "full", 4423: "unavailable" };
for (const [code, why] of Object.entries(FINAL)) {
  test(`after ${code} it says why and does not come back`, async () => {
    await open();
    const before = FakeSocket.all.length;
    FakeSocket.last.ends(Number(code));
    mock.timers.tick(60_000);
    await settled();
    assert.deepEqual(heard, [["refused", why]]);
    assert.equal(FakeSocket.all.length, before);
  });
}

test("a token that has grown old is replaced, and whoever has no part is not told that it was deleted", async () => {
  await open();
  for (let n = 1; n < 3; n += 1) {
    const before = FakeSocket.all.length;
    FakeSocket.last.ends(4401);
    mock.timers.tick(10_000);
    await settled();
    assert.equal(FakeSocket.all.length, before + 1);
  }
  FakeSocket.last.ends(4401);
  assert.deepEqual(heard.at(-1), ["refused", "stranger"]);
});

test("whoever has finished already is told so", async () => {
  await open();
  FakeSocket.last.ends(4410);
  assert.deepEqual(heard, [["finished", null]]);
});

test("after a loss it comes back with another token", async () => {
  await open();
  const before = FakeSocket.all.length;
  FakeSocket.last.ends(1006);
  answer.json = async () => ({ token: "t2" });
  mock.timers.tick(1000);
  await settled();
  assert.equal(FakeSocket.all.length, before + 1);
  assert.deepEqual(heard, [["lost", null]]);
});

test("without a network for the token it tries again; without a participation it does not", async () => {
  answer = new Error("no network");
  await socket.open();
  assert.deepEqual(heard, [["lost", null]]);
  answer = { type: "basic", status: 410, ok: false };
  mock.timers.tick(1000);
  await settled();
  assert.deepEqual(heard.at(-1), ["refused", "stranger"]);
  answer = { type: "basic", status: 404, ok: false };
  await socket.open();
  assert.deepEqual(heard.at(-1), ["refused", "gone"]);
});
