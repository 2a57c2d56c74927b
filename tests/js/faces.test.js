import assert from "node:assert/strict";
import { test } from "node:test";

import "./browser.js";

/** An element that keeps what it is given. */
class FakeElement {
  attributes = {};
  children = [];
  classList = { add() {} };
  clientWidth = 640;
  dataset = {};

  setAttribute(name, value) { this.attributes[name] = value; }
  getAttribute(name) { return this.attributes[name] ?? null; }
  append(...added) { this.children.push(...added); }
  insertBefore(added) { this.children.push(added); }
  querySelector() { return new FakeElement(); }
  querySelectorAll() { return []; }
  cloneNode() { return new FakeElement(); }
  remove() { this.isRemoved = true; }
}

document.createElementNS = () => new FakeElement();
const { Faces } = await import("../../static/js/live/faces.js");

const BOX = { x: 100, y: 20, width: 50, height: 60 };
const answer = (...numbers) => ({
  width: 640,
  height: 480,
  faces: numbers.map((number) => ({
    number, box: BOX, label: "happy", confidence: 0.9, probabilities: { happy: 0.9, sad: 0.1 },
  })),
});

test("the video is a mirror, so a box changes sides", () => {
  const overlay = new FakeElement();
  const template = { content: { firstElementChild: new FakeElement() } };
  const faces = new Faces(overlay, new FakeElement(), template, {});
  faces.show(answer(1));
  const [box] = overlay.children[0].children;
  assert.deepEqual(
    ["x", "y", "width", "height"].map((name) => box.attributes[name]),
    [640 - 100 - 50, 20, 50, 60],
  );
});

test("a label ends where its box does at the right edge, which would clip it", () => {
  const overlay = new FakeElement();
  const template = { content: { firstElementChild: new FakeElement() } };
  const faces = new Faces(overlay, new FakeElement(), template, { happy: "Fröhlich" });
  const found = answer(1, 2);
  found.faces[0].box = { ...BOX, x: 5 }; // On the right in the mirror.
  found.faces[1].box = { ...BOX, x: 400 };
  faces.show(found);
  const sides = overlay.children.map((group) => group.children[1].attributes);
  assert.deepEqual(sides.map((text) => text["text-anchor"]), ["end", "start"]);
  assert.deepEqual(sides.map((text) => text.x), [640 - 5, 640 - 400 - 50]);
});

test("a face that is gone takes its box along", () => {
  const overlay = new FakeElement();
  const template = { content: { firstElementChild: new FakeElement() } };
  const faces = new Faces(overlay, new FakeElement(), template, {});
  faces.show(answer(1, 2));
  faces.show(answer(2));
  assert.deepEqual(overlay.children.map((group) => Boolean(group.isRemoved)), [true, false]);
});
