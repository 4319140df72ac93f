/** Work of others is awaited for so long and no longer; it goes on all the same. */

const tooLong = Symbol();

/** The answer of `work`, or `tooLong`. */
async function race<T>(milliseconds: number, work: Promise<T>): Promise<T | typeof tooLong> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<typeof tooLong>((resolve) => {
    timer = setTimeout(resolve, milliseconds, tooLong);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Watch {
  /** Told when it was too long. */
  onGivenUp(): void;
  /** Told when work that was given up on has ended after all. */
  onLate(): void;
}

/** The answer of `work`, if it comes in time. @throws when it does not */
export async function within<T>(milliseconds: number, work: Promise<T>, watch?: Watch): Promise<T> {
  const answer = await race(milliseconds, work);
  if (answer !== tooLong) return answer;
  watch?.onGivenUp();
  if (watch !== undefined) work.then(watch.onLate, watch.onLate);
  throw new Error(`no answer in ${milliseconds} ms`);
}

/** Waits for the end of `work`, in time or not. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  await race(milliseconds, work);
}
