/** Where in an image something is that looks like a template. */
import { checkOptions, checkWord } from './check.ts';
import { invalidType, overlapping, shapeMismatch } from './errors.ts';
import { IMAGE, imageParams } from './image-call.ts';
import { checkElements, checkFlops } from './limits.ts';
import { allocateResult, overlaps } from './memory.ts';
import { native } from './native.ts';
import { checkOut, type OutOption, outMemory, readOut, toResult } from './output.ts';
import { type Image, readImage, sampleType } from './pixels.ts';
import type { Tensor } from './tensor.ts';

/**
 * What a score is; OpenCV's names. `'ccoeffNormed'` (`TM_CCOEFF_NORMED`): `Σ(x − x̄)(t − t̄) / √(Σ(x − x̄)² · Σ(t − t̄)²)`,
 * blind to brightness and contrast. `'ccorrNormed'` (`TM_CCORR_NORMED`): `Σxt / √(Σx² · Σt²)`, blind to contrast only.
 */
export type TemplateMethod = 'ccoeffNormed' | 'ccorrNormed';

/** The options of `correlateTemplate`. */
export interface CorrelateTemplateOptions extends OutOption {
  /** Default `'ccoeffNormed'`. */
  method?: TemplateMethod | undefined;
}

/** Where the template fits, and how well. */
export interface TemplateMatch {
  /** A score from −1 to 1 for each place of the template's upper left pixel: `[h − th + 1, w − tw + 1]`. */
  scores: Tensor;
  /** The place of the highest score, in pixels from the left and the top; the first one in reading order of several. */
  best: { x: number; y: number; score: number };
}

const METHODS = ['ccoeffNormed', 'ccorrNormed'] as const satisfies TemplateMethod[];

/**
 * Normalised cross-correlation of a template with every place of an image where it fits. Sums go over all colour
 * channels (each with its own mean); alpha does not count. A window or a template without any contrast
 * (`'ccorrNormed'`: of zeros) scores 0. Products are summed in float32, the windows' means and variances in float64; a
 * score is within 10⁻⁴ of the exact one on pictures. Source: OpenCV `matchTemplate`; Lewis 1995.
 *
 * @param image interleaved samples; not changed
 * @param template no larger than the image, with as many channels and samples of the same type
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE` (unknown option), `ERR_DETACHED_BUFFER`; RangeError
 *   `ERR_INVALID_ARG_VALUE` (unknown word), `ERR_OUT_OF_RANGE`, `ERR_SHAPE_MISMATCH`, `ERR_OVERLAP`,
 *   `ERR_LIMIT_EXCEEDED`
 */
export function correlateTemplate(
  image: Image,
  template: Image,
  options?: CorrelateTemplateOptions,
): TemplateMatch {
  const read = readImage(image);
  const part = readImage(template, 'template');
  const given = checkOptions(options, 'options', ['method', 'out']) ?? {};
  const method = checkWord(given.method ?? 'ccoeffNormed', 'method', METHODS);
  const out = readOut(given.out);
  const type = sampleType(read.data);
  if (sampleType(part.data) !== type) {
    throw invalidType(`${type} samples, as image.data has them,`, 'template.data', part.data);
  }
  if (part.channels !== read.channels) {
    throw shapeMismatch(`${read.channels} channels, as image has them,`, 'template', `${part.channels}`);
  }
  const [height, width] = [read.height - part.height + 1, read.width - part.width + 1];
  if (height < 1 || width < 1) {
    const size = `${part.width} × ${part.height} pixels`;
    throw shapeMismatch(`at most ${read.width} × ${read.height} pixels`, 'template', size);
  }
  const shape = [height, width];
  checkElements(height * width, 'the scores');
  // The planes of floats are the largest of what is allocated.
  checkElements(read.width * read.height * read.channels, 'the image in float32');
  checkFlops(2 * height * width * part.width * part.height * part.channels);
  if (out !== undefined) {
    checkOut(out, shape, height * width);
    for (const [input, parameter] of [
      [read.data, 'image.data'],
      [part.data, 'template.data'],
    ] as const) {
      if (overlaps(outMemory(out), input)) throw overlapping('out', parameter);
    }
  }
  const params = imageParams(read);
  params[IMAGE.METHOD] = METHODS.indexOf(method);
  const memory = out === undefined ? allocateResult(height * width, 'the scores') : outMemory(out);
  const [x = 0, y = 0, score = 0] = native.runTemplate(
    params,
    read.data,
    imageParams(part),
    part.data,
    memory,
  );
  return { scores: toResult(memory, shape, out), best: { x, y, score } };
}
