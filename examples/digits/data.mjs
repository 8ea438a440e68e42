// Small pictures of digits, drawn from a font of 5 × 7 dots: moved, dimmed and full of noise, each one different.

const FONT = [
  '.###. #...# #..## #.#.# ##..# #...# .###.',
  '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '.###. #...# ....# ...#. ..#.. .#... #####',
  '##### ...#. ..#.. ...#. ....# #...# .###.',
  '...#. ..##. .#.#. #..#. ##### ...#. ...#.',
  '##### #.... ####. ....# ....# #...# .###.',
  '..##. .#... #.... ####. #...# #...# .###.',
  '##### ....# ...#. ..#.. .#... .#... .#...',
  '.###. #...# #...# .###. #...# #...# .###.',
  '.###. #...# #...# .#### ....# ...#. .##..',
].map((digit) => digit.split(' '));

/** Rows and columns of a picture. */
export const SIDE = 12;

/**
 * `count` pictures.
 *
 * @param random gives numbers from 0 to 1
 * @returns pixels [count, 1, SIDE, SIDE] and the digit on each
 */
export function drawDigits(count, random) {
  const pixels = new Float32Array(count * SIDE * SIDE);
  const labels = Array.from({ length: count }, (_, i) => {
    const label = Math.floor(random() * 10);
    const picture = pixels.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
    for (let p = 0; p < picture.length; p++) picture[p] = 0.4 * random();
    const [top, left, ink] = [
      1 + Math.floor(4 * random()),
      2 + Math.floor(4 * random()),
      0.5 + 0.5 * random(),
    ];
    FONT[label].forEach((row, y) => {
      [...row].forEach((dot, x) => {
        // Now and then a dot is missing.
        if (dot === '#' && random() > 0.05) picture[(top + y) * SIDE + left + x] += ink;
      });
    });
    return label;
  });
  return { pixels, labels };
}
