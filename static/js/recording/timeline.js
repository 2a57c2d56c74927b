// The timelines of a recording: where the page is at, and a click that leads to another moment.

const SVG = "http://www.w3.org/2000/svg";

/** Show the clock's moment in every timeline, and set it by a click. */
export function followTimelines(root, clock, columns, length) {
  for (const chart of root.querySelectorAll(".timeline > svg")) {
    const line = document.createElementNS(SVG, "line");
    line.setAttribute("class", "timeline-playhead");
    line.setAttribute("y1", "0");
    line.setAttribute("y2", "100%");
    chart.append(line);
    chart.addEventListener("click", (event) => {
      const { left, width } = chart.getBoundingClientRect();
      clock.set(((event.clientX - left) / width) * length, chart);
    });
    clock.follow((now) => {
      const x = String(Math.min(1, now / length) * columns);
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    });
  }
}
