// The chart of a recording: probabilities over time for each face, in as much detail as one looks at.
import { percent } from "../percent.js";
import { clockText } from "./clock.js";
import { WIDTH, figure, html, overlay, shape, table } from "./draw.js";
import { linePaths, longestJoin, means, moved, slices, smooth, stackedPaths, subtract } from "./series.js";

/** Places that are asked for at once: half of what a wide screen could show. */
const PLACES = 500;
const TABLE_ROWS = 10;
const HEIGHT = 150;
const ZOOM = 0.5;
const PAN = 0.25;
/** A pointer that moved less, in pixels, clicked. */
const CLICK = 5;

const json = (id) => JSON.parse(document.getElementById(id).textContent);

async function overview(url, view, places, signal) {
  const response = await fetch(`${url}?from_ms=${Math.round(view.from)}&to_ms=${Math.round(view.to)}&places=${places}`, { signal });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** Bring the chart to life; `clock` is moved by clicks and keys, and shown by a line. */
export function startChart(section, clock) {
  const length = Number(section.dataset.length);
  const words = json("series-words");
  const names = json("label-names");
  const markers = json("series-markers");
  const answers = json("series-answers");
  const charts = section.querySelector("[data-charts]");
  const find = (name) => section.querySelector(`[data-${name}]`);
  const field = (name) => section.querySelector(`[name="${name}"]`);
  const state = { view: { from: 0, to: length }, data: null, other: null, stretch: null, baseline: null, normal: new Map() };
  let lines = [];
  let asking = null;

  // What is shown ---------------------------------------------------------------------------

  async function load() {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    charts.setAttribute("aria-busy", "true");
    const compared = find("compare").value;
    try {
      const [data, other] = await Promise.all([
        overview(section.dataset.overview, state.view, PLACES, signal),
        compared ? overview(compared, state.view, PLACES, signal) : null,
      ]);
      Object.assign(state, { data, other });
      paint();
      charts.removeAttribute("aria-busy");
      find("failed").hidden = true;
    } catch (error) {
      if (error.name !== "AbortError") find("failed").hidden = false;
    }
  }

  function paint() {
    const { data, view } = state;
    const limit = longestJoin(data.step_ms);
    const width = Number(find("smooth").value);
    const smoothed = (series) => smooth(series, width, limit);
    const figures = [];
    lines = [];

    const add = (caption, height, className, face, content) => {
      const { made, svg } = figure(caption, height, className);
      if (face !== null) made.dataset.face = face;
      content(svg);
      const own = className === "of-face" ? answers.filter((answer) => answer.face === face) : [];
      overlay(svg, height, view, { markers, stretch: state.stretch, baseline: state.baseline, answers: own });
      lines.push(shape("line", { class: "timeline-playhead", y1: 0, y2: height }, svg));
      figures.push(made);
    };

    for (const face of data.faces) {
      const series = smoothed(face);
      add(words.face.replace("%s", face.face), HEIGHT, "of-face", face.face, (svg) => {
        const paths = stackedPaths(series, data.labels, view, limit, WIDTH, HEIGHT);
        for (const label of data.labels) shape("path", { class: `series-area emotion-${label}`, d: paths[label] }, svg);
      });
      const normal = state.normal.get(face.face);
      if (state.baseline && normal) {
        const changed = subtract(series, normal);
        add(words.change.replace("%s", face.face), HEIGHT, "of-change", face.face, (svg) => {
          shape("line", { class: "series-zero", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }, svg);
          drawLines(svg, changed, data.labels, "", -1);
        });
      }
    }
    if (state.other) {
      const both = [[smoothed(data.everybody), ""], [smooth(state.other.everybody, width, longestJoin(state.other.step_ms)), "is-other"]];
      for (const label of data.labels) {
        add(words.both.replace("%s", names[label] ?? label), HEIGHT / 2, "of-both", null, (svg) => {
          for (const [series, className] of both) drawLines(svg, series, [label], className, 0, HEIGHT / 2);
        });
      }
    }

    function drawLines(svg, series, labels, className, low, height = HEIGHT) {
      const paths = linePaths(series, labels, view, limit, WIDTH, height, low, 1);
      for (const label of labels) shape("path", { class: `series-line ${className} emotion-${label}`, d: paths[label] }, svg);
    }

    if (!figures.length) figures.push(html("p", "text-body-secondary", words.nothing));
    charts.replaceChildren(...figures);
    find("shown").textContent = `${clockText(view.from)}–${clockText(view.to)}`;
    find("more").textContent = data.n_faces > data.faces.length ? words.more.replace("%s", data.faces.length).replace("%s", data.n_faces) : "";
    const isWhole = view.from <= 0 && view.to >= length;
    for (const name of ["out", "whole", "left", "right"]) section.querySelector(`[data-view="${name}"]`).disabled = isWhole;
    const columns = [words.time, ...data.labels.map((label) => names[label] ?? label)];
    find("table").replaceChildren(...data.faces.flatMap((face) => [
      html("h3", "h6 mt-2", words.face.replace("%s", face.face)),
      table(columns, slices(smoothed(face), view, TABLE_ROWS), data.labels, clockText, percent),
    ]));
    section.dataset.painted = `${Math.round(view.from)}-${Math.round(view.to)}`;
    movePlayhead(clock.now());
  }

  function movePlayhead(now) {
    const { from, to } = state.view;
    const x = ((now - from) / (to - from)) * WIDTH;
    for (const line of lines) {
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    }
  }

  function show(change) {
    const view = moved(state.view, length, change);
    if (view.from === state.view.from && view.to === state.view.to) return;
    state.view = view;
    load();
  }

  // A stretch, and what is done with it -----------------------------------------------------

  function choose(from, to) {
    const ends = [from, to].map((time) => Math.min(length, Math.max(0, Math.round(time)))).sort((a, b) => a - b);
    state.stretch = ends[1] > ends[0] ? { from: ends[0], to: ends[1] } : null;
    if (state.stretch) {
      field("start").value = (ends[0] / 1000).toFixed(2);
      field("end").value = (ends[1] / 1000).toFixed(2);
    }
    if (state.data) paint();
  }

  function typed() {
    const [from, to] = ["start", "end"].map((name) => field(name).value);
    if (from !== "" && to !== "") choose(Number(from) * 1000, Number(to) * 1000);
  }

  async function setBaseline(span) {
    state.normal = new Map();
    if (span) {
      try {
        const found = await overview(section.dataset.overview, span, 1);
        for (const face of found.faces) state.normal.set(face.face, means(face));
      } catch {
        find("failed").hidden = false;
        return;
      }
    }
    state.baseline = span;
    section.querySelector('[data-do="no-baseline"]').hidden = !span;
    section.dispatchEvent(new CustomEvent("baseline", { detail: span }));
    if (state.data) paint();
  }

  const actions = {
    in: () => show({ factor: ZOOM, at: within(clock.now()) }),
    out: () => show({ factor: 1 / ZOOM }),
    left: () => show({ share: -PAN }),
    right: () => show({ share: PAN }),
    whole: () => show({ factor: Infinity }),
    zoom: () => { typed(); if (state.stretch) { state.view = moved(state.stretch, length, {}); load(); } },
    baseline: () => { typed(); if (state.stretch) setBaseline(state.stretch); },
    "no-baseline": () => setBaseline(null),
  };
  const within = (time) => (time >= state.view.from && time <= state.view.to ? time : (state.view.from + state.view.to) / 2);

  section.addEventListener("click", (event) => {
    const button = event.target.closest("[data-view], [data-do]");
    if (button) actions[button.dataset.view ?? button.dataset.do]();
  });
  for (const name of ["start", "end"]) field(name).addEventListener("change", typed);
  find("smooth").addEventListener("change", () => { if (state.data) paint(); });
  find("compare").addEventListener("change", load);

  // Pointer and keys ------------------------------------------------------------------------

  const timeAt = (svg, clientX) => {
    const { left, width } = svg.getBoundingClientRect();
    return state.view.from + ((clientX - left) / width) * (state.view.to - state.view.from);
  };
  charts.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest("svg");
    if (!svg || event.button) return;
    const began = event.clientX;
    const from = timeAt(svg, began);
    // Painting replaces the charts, so the pointer is followed on what stays.
    const box = svg.getBoundingClientRect();
    const time = (x) => state.view.from + ((x - box.left) / box.width) * (state.view.to - state.view.from);
    const move = (other) => { if (Math.abs(other.clientX - began) >= CLICK) choose(from, time(other.clientX)); };
    const up = (other) => {
      document.removeEventListener("pointermove", move);
      document.removeEventListener("pointerup", up);
      document.removeEventListener("pointercancel", up);
      if (other.type === "pointerup" && Math.abs(other.clientX - began) < CLICK) clock.set(from, charts);
    };
    document.addEventListener("pointermove", move);
    document.addEventListener("pointerup", up);
    document.addEventListener("pointercancel", up);
  });
  charts.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const svg = event.target.closest("svg");
    const delta = event.deltaY || event.deltaX;
    if (event.shiftKey) show({ share: Math.sign(delta) * PAN });
    else if (svg) show({ factor: delta > 0 ? 1 / ZOOM : ZOOM, at: timeAt(svg, event.clientX) });
  }, { passive: false });

  const step = (share) => clock.set(Math.min(length, Math.max(0, clock.now() + share * (state.view.to - state.view.from))), charts);
  const keys = {
    ArrowLeft: (event) => (event.shiftKey ? actions.left() : step(-0.01)),
    ArrowRight: (event) => (event.shiftKey ? actions.right() : step(0.01)),
    "+": () => actions.in(), "=": () => actions.in(), "-": () => actions.out(), 0: () => actions.whole(),
    "[": () => choose(clock.now(), state.stretch?.to ?? length),
    "]": () => choose(state.stretch?.from ?? 0, clock.now()),
  };
  charts.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key](event);
  });

  clock.follow((now, source) => {
    // While it plays, the part that is shown goes along.
    if (source && (now > state.view.to || now < state.view.from)) show({ share: (now - state.view.from) / (state.view.to - state.view.from) - 0.05 });
    movePlayhead(now);
  });
  load();
}
