// A recording's page: the video, the timelines and the marker's form all show the same moment.
import { startChart } from "./recording/chart.js";
import { makeClock } from "./recording/clock.js";
import { startPlayer } from "./recording/player.js";
import { followTimelines } from "./recording/timeline.js";

const clock = makeClock();

function prepare(root) {
  const length = Number(root.dataset.length);
  if (length) followTimelines(root, clock, Number(root.dataset.columns), length);
  const player = root.querySelector("[data-player]");
  if (player) startPlayer(player, clock);
  const series = root.querySelector("#series");
  if (series) startChart(series, clock);
}

const seen = document.getElementById("seen");
prepare(seen);
// A video that is still looked at: this part of the page comes anew.
document.addEventListener("fragment", (event) => { if (event.detail.id === "seen") prepare(event.detail); });

const here = document.getElementById("marker-here");
if (here) {
  const seconds = document.getElementById("marker-seconds");
  clock.follow(() => { here.hidden = !clock.now(); });
  here.addEventListener("click", () => { seconds.value = (clock.now() / 1000).toFixed(2); });
}
