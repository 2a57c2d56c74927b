// Labels over boxes at the right edge of a picture, which clips what sticks out.

/** Of a bold letter, as a share of the letters' height; without asking the browser for a layout. */
const LETTER = 0.62;

/**
 * Attributes of a text above a box: it begins at the box's left edge, or ends at its right one
 * where it would not fit otherwise.
 *
 * @param {{x: number, width: number}} box in the picture's pixels
 * @param {string} text
 * @param {number} size of its letters, in the picture's pixels
 * @param {number} width of the picture
 */
export function labelSide(box, text, size, width) {
  if (box.x + text.length * LETTER * size <= width) {
    return { x: Math.max(2, box.x), "text-anchor": "start" };
  }
  return { x: Math.min(width - 2, box.x + box.width), "text-anchor": "end" };
}
