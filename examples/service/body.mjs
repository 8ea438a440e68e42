/** Uploads of a bounded size. */
import { HttpError } from './http-error.mjs';

const tooLarge = (maxBytes) =>
  // The rest of the body is not worth reading: the connection ends with the answer.
  new HttpError(413, `an upload has at most ${maxBytes} bytes`, { Connection: 'close' });

/** The whole body of a request; what it announces is checked before any of it is read, what comes while it is. */
export async function readBody(request, response, maxBytes) {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  const chunks = [];
  let bytes = 0;
  // Not destroyed when the loop is left early: the answer goes out on the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  if (bytes === 0) throw new HttpError(400, 'send the bytes of an image as the body');
  return Buffer.concat(chunks);
}
