/** Values that are usually there at once: the steady state then runs without a promise, a timer or a turn of the loop. */
export type Pending<T> = T | Promise<T>;

export function isPromise<T>(value: Pending<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** `next(value)`, now if the value is here, else once it is. */
export function after<T, U>(value: Pending<T>, next: (value: T) => Pending<U>): Pending<U> {
  return isPromise(value) ? value.then(next) : next(value);
}

export class BudgetError extends Error {
  constructor(ms: number) {
    super(`no decision within ${ms} ms`);
    this.name = "BudgetError";
  }
}

/** @throws {BudgetError} (by rejecting) when the promise takes longer. A value that is here costs nothing. */
export function withTimeout<T>(value: Promise<T>, ms: number): Promise<T>;
export function withTimeout<T>(value: Pending<T>, ms: number): Pending<T>;
export function withTimeout<T>(value: Pending<T>, ms: number): Pending<T> {
  if (!isPromise(value)) return value;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BudgetError(ms)), ms);
  });
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}
