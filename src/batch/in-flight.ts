/** Bounded concurrency over an asynchronous sequence. */

/**
 * Calls `work` on each item, at most `limit` at once, and yields the results in the order of the items or as they are
 * completed. A result that waits for its turn or for its reader counts, so nothing piles up. The source is read only when
 * there is room. When the reader stops early, or `work` or the source throws, what has begun is awaited and the source closed.
 */
export async function* inFlight<T, R>(
  items: AsyncIterable<T>,
  limit: number,
  order: 'input' | 'completion',
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  type Event = { kind: 'read'; next: IteratorResult<T> } | { kind: 'result'; at: object; result: R };
  const source = items[Symbol.asyncIterator]();
  const running: { at: object; event: Promise<Event> }[] = [];
  let reading: Promise<Event> | undefined;
  let ended = false;

  const read = async (): Promise<Event> => ({ kind: 'read', next: await source.next() });
  const begin = (item: T): void => {
    const at = {};
    const event = work(item).then((result): Event => ({ kind: 'result', at, result }));
    // It may fail while another one is awaited; whoever awaits it is told all the same.
    event.catch(() => {});
    running.push({ at, event });
  };

  try {
    for (;;) {
      if (!ended && running.length < limit) reading ??= read();
      const results = order === 'input' ? running.slice(0, 1) : running;
      const awaited = [...results.map(({ event }) => event), ...(reading === undefined ? [] : [reading])];
      if (awaited.length === 0) return;
      const event = await Promise.race(awaited);
      if (event.kind === 'result') {
        running.splice(
          running.findIndex(({ at }) => at === event.at),
          1,
        );
        yield event.result;
      } else {
        reading = undefined;
        if (event.next.done === true) ended = true;
        else begin(event.next.value);
      }
    }
  } finally {
    await Promise.allSettled(running.map(({ event }) => event));
    if (!ended) await source.return?.();
  }
}
