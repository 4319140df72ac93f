/** The time that one decision may take, all I/O included. */
import { BudgetError } from "../assignment/pending.ts";

export interface DecisionBudget {
  /** Resolves as the value does. @throws {BudgetError} (by rejecting) once the time is over */
  within<T>(value: T | Promise<T>): T | Promise<T>;
  clear(): void;
}

/** Sets a timer only once something has to be awaited: in the steady state everything is in memory. */
export function createBudget(ms: number): DecisionBudget {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over: Promise<never> | undefined;
  return {
    within<T>(value: T | Promise<T>) {
      if (!(value instanceof Promise)) return value;
      over ??= new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new BudgetError(ms)), ms);
      });
      return Promise.race([value, over]);
    },
    clear: () => clearTimeout(timer),
  };
}
