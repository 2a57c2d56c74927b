// A video that is sent in parts over a line that breaks.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Refused, sendInParts } from "../../static/js/new-video.js";

const file = new Blob(["0123456789abcdefghij-end"]);

/** A site that takes parts; `breaks(method, path, count)` says what goes wrong with a request. */
function site(breaks = () => null) {
  const state = { received: "", requests: [], deleted: false };
  state.ask = async (method, path, body) => {
    const what = breaks(method, path, state.requests.push(`${method} ${path}`));
    if (what === "lost") throw new TypeError("network");
    if (what && what !== "answer lost") return what;
    const answer = await (async () => {
      if (method === "POST" && path === "") return { id: "t", offset: 0, part_bytes: 10 };
      if (method === "GET") return { id: "t", offset: state.received.length };
      if (method === "DELETE") { state.deleted = true; return null; }
      if (path.endsWith("/finish/")) return { links: { page: "/page/" } };
      assert.equal(path, `t/part/?offset=${state.received.length}`);
      state.received += await body.text();
      return { offset: state.received.length };
    })();
    if (what === "answer lost") throw new TypeError("network");
    return { status: 200, json: answer };
  };
  return state;
}

function page(isCancelled = () => false) {
  const told = [];
  return { told, progress: (sent) => told.push(sent), waiting: (seconds) => { if (seconds) told.push(`wait ${seconds}`); }, pause: async () => {}, isCancelled };
}

test("all parts come in order, and the video at the end", async () => {
  const to = site();
  const seen = page();
  const video = await sendInParts(file, to.ask, {}, seen);
  assert.equal(video.links.page, "/page/");
  assert.equal(to.received, "0123456789abcdefghij-end");
  assert.deepEqual(seen.told, [0, 10, 20, 24]);
});

test("a lost connection costs one part, a lost answer none", async () => {
  const to = site((_method, _path, count) => ({ 2: "answer lost", 4: "lost", 5: "lost", 7: "answer lost" })[count]);
  const seen = page();
  await sendInParts(file, to.ask, {}, seen);
  assert.equal(to.received, "0123456789abcdefghij-end");
  assert.equal(to.requests.filter((request) => request === "PUT t/part/?offset=0").length, 1);
  assert.ok(seen.told.includes("wait 1"));
});

test("a refusal ends it with the site's sentence", async () => {
  const full = { status: 403, json: { code: "quota_exceeded", detail: "Full." } };
  await assert.rejects(sendInParts(file, site(() => full).ask, {}, page()), (error) => error instanceof Refused && error.message === "Full.");
});

test("a site that is away for too long ends it", async () => {
  const to = site((method) => (method === "PUT" ? { status: 503, json: {} } : method === "GET" ? "lost" : null));
  await assert.rejects(sendInParts(file, to.ask, {}, page()), Refused);
});

test("where somebody cancels, what has come is deleted", async () => {
  const to = site();
  assert.equal(await sendInParts(file, to.ask, {}, page(() => to.requests.length > 1)), null);
  assert.equal(to.deleted, true);
});
