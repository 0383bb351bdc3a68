/**
 * Work that is dear, for however many ask: viewers may ask for it, and nobody shall make a machine stand still by asking.
 *
 * @module
 */

/** Whoever asks while it is done gets the same answer; what it gave is not kept. */
export function shared<Value>(work: () => Promise<Value>): () => Promise<Value> {
  let doing: Promise<Value> | undefined;
  return () => {
    doing ??= work().finally(() => (doing = undefined));
    return doing;
  };
}

/** One piece of work after another; what nobody waits for any more when its turn comes is not begun. */
export function oneByOne(): <Value>(
  signal: AbortSignal,
  work: () => Promise<Value>,
) => Promise<Value> {
  let last: Promise<unknown> = Promise.resolve();
  return (signal, work) => {
    const next = last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    last = next.catch(() => {});
    return next;
  };
}
