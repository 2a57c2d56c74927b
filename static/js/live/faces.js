// Boxes over the video and the probabilities beside it, kept and moved from frame to frame.

import { labelSide } from "../label-side.js";
import { percent } from "../percent.js";

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 6;
const TEXT_PIXELS = 17;

const colourOf = (number) => `track-${((number - 1) % COLOURS) + 1}`;

export class Faces {
  #overlay;
  #panel;
  #template;
  #texts;
  /** Number of a face to its elements. */
  #shown = new Map();

  constructor(overlay, panel, template, texts) {
    this.#overlay = overlay;
    this.#panel = panel;
    this.#template = template;
    this.#texts = texts;
  }

  /** Show the faces of one answer; the video is a mirror, so boxes change sides. */
  show({ width, height, faces }) {
    const viewBox = `0 0 ${width} ${height}`;
    if (this.#overlay.getAttribute("viewBox") !== viewBox) {
      this.#overlay.setAttribute("viewBox", viewBox);
    }
    const numbers = new Set(faces.map((face) => face.number));
    for (const [number, elements] of this.#shown) {
      if (!numbers.has(number)) {
        elements.group.remove();
        elements.card.remove();
        this.#shown.delete(number);
      }
    }
    for (const face of faces) {
      if (!this.#shown.has(face.number)) this.#shown.set(face.number, this.#add(face.number));
      this.#update(this.#shown.get(face.number), face, width, height);
    }
  }

  clear() {
    this.show({ width: 640, height: 480, faces: [] });
  }

  #add(number) {
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", `live-box ${colourOf(number)}`);
    group.dataset.number = number;
    const box = document.createElementNS(SVG, "rect");
    box.setAttribute("rx", 6);
    const text = document.createElementNS(SVG, "text");
    group.append(box, text);
    this.#overlay.append(group);

    const card = this.#template.content.firstElementChild.cloneNode(true);
    card.dataset.number = number;
    const chip = card.querySelector(".live-number");
    chip.textContent = number;
    chip.classList.add(colourOf(number));
    const after = [...this.#panel.children].find((other) => Number(other.dataset.number) > number);
    this.#panel.insertBefore(card, after ?? null);
    const bars = new Map([...card.querySelectorAll(".probability")].map((row) => [
      row.dataset.label,
      { row, bar: row.querySelector("progress"), text: row.lastElementChild },
    ]));
    return {
      group, box, text, card, bars,
      label: card.querySelector(".live-label"),
      confidence: card.querySelector(".live-confidence"),
    };
  }

  /** Both labels that it could be, the one that holds first. */
  #doubt(face) {
    const others = Object.keys(face.probabilities).filter((label) => label !== face.label);
    const second = others.reduce((one, other) =>
      (face.probabilities[other] > face.probabilities[one] ? other : one));
    const name = (label) => this.#texts[label] ?? label;
    return this.#texts.unsure.replace("{first}", name(face.label)).replace("{second}", name(second));
  }

  #update(elements, face, width, height) {
    const { box } = face;
    const x = width - box.x - box.width;
    const name = this.#texts[face.label] ?? face.label;
    // The same size on every screen, whatever the frame measures.
    const { clientWidth, clientHeight } = this.#overlay;
    const scale = Math.min(clientWidth / width, (clientHeight || Infinity) / height);
    const size = TEXT_PIXELS / Math.max(scale, 1 / width);
    elements.group.dataset.label = face.label;
    for (const [key, value] of Object.entries({ x, y: box.y, width: box.width, height: box.height })) {
      elements.box.setAttribute(key, value);
    }
    elements.text.setAttribute("y", box.y > size * 1.5 ? box.y - size * 0.4 : box.y + box.height + size);
    elements.text.setAttribute("font-size", size);
    // As on an upload's page: a doubtful label is a question without a percentage.
    const confidence = face.uncertain ? "" : percent(face.confidence);
    const words = `${face.number} · ${name}${face.uncertain ? "?" : ` ${confidence}`}`;
    elements.text.textContent = words;
    const side = labelSide({ x, width: box.width }, words, size, width);
    for (const [key, value] of Object.entries(side)) elements.text.setAttribute(key, value);
    elements.card.dataset.label = face.label;
    elements.label.textContent = face.uncertain ? this.#doubt(face) : name;
    elements.label.className = `live-label flex-grow-1 emotion-text-${face.uncertain ? "unsure" : face.label}`;
    elements.confidence.textContent = confidence;
    for (const [label, { row, bar, text }] of elements.bars) {
      const probability = face.probabilities[label];
      row.hidden = probability === undefined; // An older model knows fewer labels.
      bar.value = probability ?? 0;
      text.textContent = percent(probability ?? 0);
    }
  }
}
