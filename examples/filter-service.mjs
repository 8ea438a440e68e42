// A service that filters uploads, on plain node:http: node examples/filter-service.mjs
//   curl --data-binary @photo.jpg 'localhost:8080/filter?kernel=sharpen' > sharp.jpg
// Limits, a bounded queue and clients that go away are looked after in service/; docs/SERVERS.md has figures.

import sharp from 'sharp';
import { createFilterServer } from './service/server.mjs';

// Memory: libvips keeps no decoded images. Threads: one for each image, since several are decoded at once.
sharp.cache(false);
sharp.concurrency(1);

const setting = (name) => (process.env[name] === undefined ? undefined : Number(process.env[name]));
const server = createFilterServer({
  concurrency: setting('CONCURRENCY'),
  maxQueued: setting('MAX_QUEUED'),
  maxBytes: setting('MAX_BYTES'),
  maxPixels: setting('MAX_PIXELS'),
});
server.listen(setting('PORT') ?? 8080, () => {
  console.log(`listening on http://localhost:${server.address().port}/filter`);
});

// Who runs the service sends SIGTERM: no new requests then, and those that are in are answered.
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => server.close());
