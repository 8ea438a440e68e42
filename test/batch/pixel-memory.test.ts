/** Memory of pixels that no other program sees. */
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { onRelease, release } from '../../src/pixel-memory.ts';
import { info } from '../../src/runtime.ts';

const MEGABYTE = 2 ** 20;

afterEach(() => onRelease(undefined));

// WebAssembly has no way to do it.
test.runIf(info().backend === 'native')(
  'what is released is freed at once, whoever allocated it',
  async () => {
    let releases = 0;
    onRelease(() => {
      releases += 1;
    });
    const blank = sharp({ create: { width: 512, height: 512, channels: 3, background: 'red' } });
    const decoded = await blank.raw().toBuffer();
    expect(decoded.byteLength).toBe(3 * 512 * 512);
    const words = new Uint16Array(MEGABYTE);
    for (const data of [decoded, words, Buffer.alloc(MEGABYTE)]) {
      release(data);
      expect(data.byteLength).toBe(0);
    }
    expect(releases).toBe(3);
  },
);

test('what shares its memory is left alone', () => {
  const small = Buffer.from([1, 2, 3]);
  const part = new Uint8Array(2 * MEGABYTE).subarray(MEGABYTE);
  release(small);
  release(part);
  expect([...small]).toEqual([1, 2, 3]);
  expect(part.length).toBe(MEGABYTE);
});
