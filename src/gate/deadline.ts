/** The time that a decision may take, all I/O included. */

export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`no decision within ${ms} ms`);
    this.name = "DeadlineError";
  }
}

export interface Deadline {
  /** Resolves as the value does. @throws {DeadlineError} (by rejecting) once the time is over */
  within<T>(value: T | Promise<T>): T | Promise<T>;
  clear(): void;
}

/** Sets a timer only once something has to be awaited: in the steady state everything is in memory. */
export function createDeadline(ms: number): Deadline {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over: Promise<never> | undefined;
  return {
    within<T>(value: T | Promise<T>) {
      if (!(value instanceof Promise)) return value;
      over ??= new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new DeadlineError(ms)), ms);
      });
      return Promise.race([value, over]);
    },
    clear: () => clearTimeout(timer),
  };
}

/** @throws {DeadlineError} (by rejecting) when the promise takes longer */
export async function withTimeout<T>(promise: Promise<T>, ms: number): Promise<T> {
  const deadline = createDeadline(ms);
  try {
    return await deadline.within(promise);
  } finally {
    deadline.clear();
  }
}
