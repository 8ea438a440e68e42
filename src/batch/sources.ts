/** Where images come from: paths, patterns, bytes and streams as one sequence of things that can be decoded. */
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { invalidType, typedArrayName } from '../errors.ts';
import type { Encoded } from './codec.ts';
import { oversizedFile, unreadableFile } from './image-errors.ts';

/** A stream of the bytes of one file: Node's `Readable`, or the web's `ReadableStream`. */
export interface ByteStream extends AsyncIterable<Uint8Array | string> {}

/** A `file:` URL; structural, since not every program has the type of that name. */
export interface FileURL {
  readonly href: string;
  readonly protocol: string;
}

/**
 * One image, or several: a path, a `file:` URL, a pattern such as `photos/**` + `/*.jpg`, the bytes of a file (a `Buffer`, a
 * `Uint8Array`), a stream of them, or one of these with a name for its results and errors.
 */
export type ImageSource =
  | string
  | FileURL
  | Uint8Array
  | ByteStream
  | { readonly name: string; readonly data: Uint8Array | ByteStream };

/** All images: one source, or any sequence of them. */
export type ImageSources = ImageSource | Iterable<ImageSource> | AsyncIterable<ImageSource>;

/** An image that can be read. */
export interface ReadableImage {
  readonly name: string;
  /** Its path or bytes. */
  read(): Promise<Encoded>;
}

/** A stream of more bytes than this is no image that fits the memory. */
const MOST_BYTES = 512 * 2 ** 20;

const isStream = (value: object): value is ByteStream =>
  Symbol.asyncIterator in value && ('pipe' in value || 'getReader' in value);

const isBytes = (value: unknown): value is Uint8Array => typedArrayName(value) === 'Uint8Array';

/**
 * The images of some sources in their order, each pattern's sorted by name.
 *
 * @throws TypeError `ERR_INVALID_ARG_TYPE`, when the sequence comes to something that is no source
 */
export async function* readSources(sources: ImageSources): AsyncGenerator<ReadableImage, void, undefined> {
  let unnamed = 0;
  for await (const source of asSequence(sources)) {
    if (typeof source === 'string') yield* fromPattern(source);
    else if (isObject(source) && 'href' in source) yield fromFile(fileURLToPath(source.href));
    else if (isBytes(source) || (isObject(source) && isStream(source)))
      yield fromData(`image ${unnamed++}`, source);
    else if (isObject(source) && 'name' in source && 'data' in source) {
      yield fromData(String(source.name), (source as { data: Uint8Array | ByteStream }).data);
    } else throw invalidType('a path, a URL, bytes, a stream or { name, data }', 'source', source);
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function asSequence(sources: ImageSources): Iterable<ImageSource> | AsyncIterable<ImageSource> {
  const single =
    !isObject(sources) ||
    isBytes(sources) ||
    isStream(sources) ||
    !(Symbol.iterator in sources || Symbol.asyncIterator in sources);
  return single ? [sources as ImageSource] : (sources as Iterable<ImageSource>);
}

function fromFile(path: string): ReadableImage {
  return { name: path, read: async () => path };
}

async function* fromPattern(pattern: string): AsyncGenerator<ReadableImage, void, undefined> {
  // When it is needed: it brings a good deal of code.
  const { isPattern, matchesOf } = await import('./patterns.ts');
  // A file whose name looks like a pattern is meant itself.
  if (!isPattern(pattern) || (await exists(pattern))) {
    yield fromFile(pattern);
    return;
  }
  const found = await matchesOf(pattern);
  if (found.length === 0) {
    yield { name: pattern, read: () => Promise.reject(unreadableFile(pattern, 'no file of that pattern')) };
  }
  for (const path of found) yield fromFile(path);
}

/** Whether there is something of that name. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function fromData(name: string, data: Uint8Array | ByteStream): ReadableImage {
  if (isBytes(data)) return { name, read: async () => data };
  if (isObject(data) && isStream(data)) return { name, read: () => collect(name, data) };
  throw invalidType('bytes or a stream', `the data of ${name}`, data);
}

async function collect(name: string, stream: ByteStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      bytes += part.byteLength;
      if (bytes > MOST_BYTES) throw oversizedFile(name, MOST_BYTES);
      chunks.push(part);
    }
  } catch (error) {
    throw (error as { code?: string }).code === 'ERR_LIMIT_EXCEEDED' ? error : unreadableFile(name, error);
  }
  return Buffer.concat(chunks);
}
