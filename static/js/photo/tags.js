// The tags of boxes: as large on the screen at any zoom, inside the photo, and not over each other.

const HEIGHT = 22;
const PADDING = 7;
const GAP = 2;
/** One tag on another is worse than a tag on another face. */
const COST_OF_TAG = 4;

const areaShared = (a, b) => {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
};

/** The part of the photo that can be seen now, in its pixels. */
function visible(svg) {
  const { x, y, width, height } = svg.viewBox.baseVal;
  return { x, y, width, height };
}

/** Photo's pixels to one of a tag: as large as on the screen, smaller where many share a phone. */
function scaleOf(svg) {
  const isTight = svg.classList.contains("is-crowded") && svg.clientWidth < 500;
  return (isTight ? 0.8 : 1) / (svg.getScreenCTM()?.a || 1);
}

/** Fit a tag's ground to its text; returns its width on the screen. */
function measure(tag, withLabel) {
  const number = tag.querySelector(".face-tag-number");
  let end = PADDING + (number ? number.getComputedTextLength() : -PADDING);
  if (withLabel) {
    const label = tag.querySelector(".face-tag-label");
    label.setAttribute("transform", `translate(${end + (number ? 5 : PADDING)} 0)`);
    end += (number ? 5 : PADDING) + 19 + label.querySelector("text").getComputedTextLength();
  }
  const width = Math.ceil(end + PADDING);
  tag.querySelector(".face-tag-ground").setAttribute("width", width);
  return width;
}

function moveTo(tag, place, scale) {
  tag.setAttribute("transform", `translate(${place.x} ${place.y}) scale(${scale})`);
}

const boxOf = (link) => {
  const rect = link.querySelector(".face-line");
  const value = (name) => Number(rect.getAttribute(name));
  return { x: value("x"), y: value("y"), width: value("width"), height: value("height") };
};

/** Where a tag may be: outside at a corner, or inside; each moved into what can be seen. */
function places(box, size, gap, view) {
  const right = box.x + box.width - size.width;
  const above = box.y - size.height - gap;
  const below = box.y + box.height + gap;
  return [
    [box.x, above], [right, above], [box.x, below], [right, below], [box.x + gap, box.y + gap],
  ].map(([x, y]) => ({
    ...size,
    x: Math.max(view.x, Math.min(x, view.x + view.width - size.width)),
    y: Math.max(view.y, Math.min(y, view.y + view.height - size.height)),
    moved: Math.abs(y - Math.max(view.y, Math.min(y, view.y + view.height - size.height))),
  }));
}

/** Place all tags of a photo anew, after it was zoomed, resized or relabelled. */
export function placeTags(svg) {
  const links = [...svg.querySelectorAll(".face-box")];
  const isCrowded = svg.classList.contains("is-crowded");
  const scale = scaleOf(svg);
  const view = visible(svg);
  const boxes = links.map(boxOf);
  const taken = [];
  links.forEach((link, at) => {
    const tag = link.querySelector(".face-tag");
    const isSeen = areaShared(boxes[at], view) > 0;
    tag.classList.toggle("is-out-of-view", !isSeen);
    if (!isSeen) return;
    const size = { width: measure(tag, !isCrowded) * scale, height: HEIGHT * scale };
    const cost = (place) => boxes.reduce(
      (sum, box, other) => sum + (other === at ? 0 : areaShared(place, box)),
      place.moved * size.width + taken.reduce((sum, other) => sum + COST_OF_TAG * areaShared(place, other), 0),
    );
    const best = places(boxes[at], size, GAP * scale, view)
      .map((place) => [cost(place), place])
      .reduce((a, b) => (b[0] < a[0] - 1e-6 ? b : a))[1];
    moveTo(tag, best, scale);
    taken.push(best);
  });
}

/** Show one face's whole tag over everything else, or none. */
export function showInFront(svg, face) {
  const front = svg.querySelector(".photo-front");
  const link = face === null ? null : svg.querySelector(`.face-box[data-face="${face}"]`);
  if (!link || !svg.classList.contains("is-crowded")) {
    front.replaceChildren();
    return;
  }
  const tag = link.querySelector(".face-tag").cloneNode(true);
  front.setAttribute("class", `photo-front ${[...link.classList].filter((name) => name.startsWith("emotion-")).join(" ")}`);
  front.replaceChildren(tag);
  const scale = scaleOf(svg);
  const size = { width: measure(tag, true) * scale, height: HEIGHT * scale };
  const [place] = places(boxOf(link), size, GAP * scale, visible(svg));
  moveTo(tag, place, scale);
}
