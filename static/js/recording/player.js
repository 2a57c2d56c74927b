// A recording's video, with the boxes of its faces over it, in step with the rest of the page.
import { labelSide } from "../label-side.js";
import { percent } from "../percent.js";
import { boxesFrom } from "./boxes.js";

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

/** Draw samples over the video, in pixels of its pictures. */
function draw(layer, samples, names, height) {
  const { width } = layer.viewBox.baseVal;
  const size = Math.max(10, height / 22);
  const shapes = samples.map((sample) => {
    const shape = element("g", { class: `player-face emotion-${sample.isUncertain ? "unsure" : sample.label}`, "data-face": sample.face });
    element("rect", { x: sample.x, y: sample.y, width: sample.width, height: sample.height }, shape);
    const above = sample.y > size * 1.5;
    // Where there is one face, its number tells nothing.
    const number = samples.length > 1 ? `${sample.face} · ` : "";
    const words = `${number}${names[sample.label] ?? sample.label} ${percent(sample.p)}`;
    const y = above ? sample.y - size * 0.4 : sample.y + sample.height + size * 1.1;
    element("text", { ...labelSide(sample, words, size, width), y, "font-size": size }, shape)
      .textContent = words;
    return shape;
  });
  layer.replaceChildren(...shapes);
}

/** Bring a player to life. `clock` is moved by the video, and moves it where others set it. */
export function startPlayer(player, clock) {
  const video = player.querySelector("video");
  const layer = player.querySelector("svg");
  const names = JSON.parse(document.getElementById("label-names").textContent);
  const step = 1000 / Number(player.dataset.rate);
  const boxesAt = boxesFrom(player.dataset.boxes, () => show());
  const height = Number(player.dataset.height);

  function show() {
    const now = Math.round(video.currentTime * 1000);
    clock.set(now, video);
    draw(layer, boxesAt(now, step), names, height);
    layer.dataset.shown = String(now);
  }

  // Each picture where the browser tells of it, else each of the screen's while it plays.
  if ("requestVideoFrameCallback" in video) {
    const again = () => { show(); video.requestVideoFrameCallback(again); };
    video.requestVideoFrameCallback(again);
  } else {
    const again = () => { show(); if (!video.paused) requestAnimationFrame(again); };
    video.addEventListener("play", again);
  }
  video.addEventListener("seeked", show);
  video.addEventListener("loadeddata", show);
  video.addEventListener("error", () => {
    player.hidden = true;
    document.getElementById("player-error").hidden = false;
  });

  clock.follow((now, source) => {
    if (source !== video && source !== null && Number.isFinite(video.duration)) video.currentTime = Math.min(now / 1000, video.duration);
  });
}
