/**
 * `work`, done once for each object it is given. For what is worked out from resources alone, and lists of them: they
 * never change, a new state holds new ones, and every commit asks about a thousand that are still the same.
 */
export function memo<Of extends object, Result>(work: (of: Of) => Result): (of: Of) => Result {
  const known = new WeakMap<Of, Result>();
  return (of) => {
    let result = known.get(of);
    if (result === undefined) {
      result = work(of);
      known.set(of, result);
    }
    return result;
  };
}
