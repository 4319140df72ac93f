/** A bounded memory of answers that never change, for as long as the isolate lives. Old ones go in bulk. */
export interface Memo<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
}

/** Keeps at least `size` and at most `2 × size` of the entries set last. */
export function createMemo<T>(size: number): Memo<T> {
  let recent = new Map<string, T>();
  let older = new Map<string, T>();
  function set(key: string, value: T): void {
    if (recent.size >= size) {
      older = recent;
      recent = new Map();
    }
    recent.set(key, value);
  }
  return {
    get(key) {
      const found = recent.get(key);
      if (found !== undefined) return found;
      const aged = older.get(key);
      if (aged !== undefined) set(key, aged);
      return aged;
    },
    set,
  };
}
