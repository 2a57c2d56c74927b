// Shapes of a recording's chart. Colours come from the classes of labels; there is no inline style.

const SVG = "http://www.w3.org/2000/svg";
/** The box that charts are drawn in; it is stretched to the page's width. */
export const WIDTH = 1000;

/** An element of SVG with attributes, within a parent. */
export function shape(name, attributes, parent = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  parent?.append(made);
  return made;
}

/** An element of HTML with a class and text. */
export function html(name, className, text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** A chart of its own: a caption, and the SVG that `paint` fills. */
export function figure(caption, height, className = "") {
  const made = html("figure", `series-chart ${className}`);
  made.append(html("figcaption", "small fw-medium", caption));
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" }, made);
  return { made, svg };
}

/** What lies over every chart: markers, answers, the chosen stretch and the baseline. */
export function overlay(svg, height, view, { markers, stretch, baseline, answers }) {
  const x = (time) => ((time - view.from) / (view.to - view.from)) * WIDTH;
  const band = (span, className) => {
    if (!span) return;
    const from = Math.max(0, x(span.from));
    const to = Math.min(WIDTH, x(span.to));
    if (to > from) shape("rect", { class: className, x: from, y: 0, width: to - from, height }, svg);
  };
  band(baseline, "series-baseline");
  for (const answer of answers) {
    const from = Math.max(0, x(answer.start_ms));
    const to = Math.min(WIDTH, x(answer.end_ms));
    if (to > from) shape("rect", { class: `series-answer emotion-${answer.label}`, x: from, y: 0, width: to - from, height: height * 0.06 }, svg);
  }
  band(stretch, "series-stretch");
  for (const marker of markers) {
    if (marker.time_ms < view.from || marker.time_ms > view.to) continue;
    const line = shape("line", { class: "timeline-marker", x1: x(marker.time_ms), x2: x(marker.time_ms), y1: 0, y2: height }, svg);
    shape("title", {}, line).textContent = marker.name;
  }
}

/** A table of times and a share for each label; `rows` have `from`, `to` and `means` or null. */
export function table(columns, rows, labels, clockText, percent) {
  const made = html("table", "table table-sm mb-0");
  const head = made.createTHead().insertRow();
  columns.forEach((text, place) => {
    const cell = html("th", place ? "text-end" : "", text);
    cell.scope = "col";
    head.append(cell);
  });
  const body = made.createTBody();
  for (const row of rows) {
    const cells = body.insertRow();
    cells.append(html("td", "text-nowrap", `${clockText(row.from)}–${clockText(row.to)}`));
    for (const label of labels) cells.append(html("td", "text-end", row.means ? percent(row.means[label] ?? 0) : "–"));
  }
  return made;
}
