/** What objects do to their storage, in the units it is paid by. */

export interface Operations {
  rowsRead: number;
  rowsWritten: number;
}

/** By the objects' class. */
export type OperationsOf = Record<string, Operations>;

export function createCounter() {
  const sums: OperationsOf = {};
  const names = new WeakMap<object, string>();
  /** A cursor knows what it took once it has been read. */
  let cursors: { name: string; cursor: Operations }[] = [];
  let isWatching = false;

  function sumOf(name: string): Operations {
    sums[name] ??= { rowsRead: 0, rowsWritten: 0 };
    return sums[name];
  }

  return {
    /** Called as an object begins; from the first on, all of this isolate's storage is watched. */
    watch({ storage }: DurableObjectState, name: string): void {
      names.set(storage, name);
      names.set(storage.sql, name);
      if (isWatching) return;
      isWatching = true;
      const sql = Object.getPrototypeOf(storage.sql) as SqlStorage;
      const { exec } = sql;
      sql.exec = function (this: SqlStorage, ...given: Parameters<SqlStorage["exec"]>) {
        const cursor = exec.apply(this, given);
        cursors.push({ name: names.get(this) ?? "others", cursor });
        return cursor;
      } as SqlStorage["exec"];
      const methods = Object.getPrototypeOf(storage) as DurableObjectStorage;
      const { setAlarm } = methods;
      // It is paid for as a row.
      methods.setAlarm = function (this: DurableObjectStorage, ...given: Parameters<DurableObjectStorage["setAlarm"]>) {
        sumOf(names.get(this) ?? "others").rowsWritten++;
        return setAlarm.apply(this, given);
      };
    },
    /** Since this was last asked. */
    take(): OperationsOf {
      for (const { name, cursor } of cursors) {
        const sum = sumOf(name);
        sum.rowsRead += cursor.rowsRead;
        sum.rowsWritten += cursor.rowsWritten;
      }
      cursors = [];
      const taken = { ...sums };
      for (const name of Object.keys(sums)) delete sums[name];
      return taken;
    },
  };
}
