// Questions: a scale, a choice, or a text, that keys and screen readers can answer.

/** Longer scales take several rows. */
const STEPS_A_ROW = 11;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function option(value, text, index) {
  const input = element("input", { type: "radio", name: "answer", value: String(value) });
  input.id = `answer-${index}`;
  return element("label", { className: "study-option" }, input, element("span", {}, text));
}

/** What was asked and how it can be answered. */
export class Question {
  #block;

  constructor(block, texts) {
    this.#block = block;
    const legend = element("legend", {}, block.text);
    this.element = element("fieldset", { className: "study-question" }, legend);
    if (block.kind === "scale") this.#addScale();
    else if (block.kind === "choice") this.#addChoice();
    else this.#addText(texts.yourAnswer);
  }

  /** A number, a text, or null where there is no answer yet. */
  get answer() {
    if (this.#block.kind === "open") {
      return this.element.querySelector("textarea").value.trim() || null;
    }
    const chosen = this.element.querySelector("input:checked");
    if (!chosen) return null;
    return this.#block.kind === "scale" ? Number(chosen.value) : chosen.value;
  }

  get isComplete() {
    return this.answer !== null || !this.#block.required;
  }

  #addScale() {
    const numbers = Array.from({ length: this.#block.steps }, (_, index) => index + 1);
    const options = numbers.map((number) => option(number, String(number), number));
    const steps = element("div", { className: "study-steps" });
    steps.style.setProperty("--columns", Math.min(options.length, STEPS_A_ROW));
    steps.append(element("div", { className: "study-scale" }, ...options));
    this.element.append(steps);
    const [low = "", high = ""] = this.#block.answers;
    if (!low && !high) return;
    const ends = element("div", { className: "study-ends mt-2" });
    ends.append(element("span", {}, `1 = ${low}`), element("span", {}, `${this.#block.steps} = ${high}`));
    steps.append(ends);
  }

  #addChoice() {
    const options = this.#block.answers.map((text, index) => option(text, text, index));
    this.element.append(element("div", { className: "study-choice" }, ...options));
  }

  #addText(label) {
    const field = element("textarea", { className: "form-control", rows: 5, maxLength: 2000 });
    field.setAttribute("aria-label", label);
    this.element.append(field);
  }
}
