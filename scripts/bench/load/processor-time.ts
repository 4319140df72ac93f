/** Processor time of another process, from Linux's accounts; elsewhere it is not measured. */
import { readdirSync, readFileSync } from "node:fs";

/** Reads the microseconds spent so far, all threads together; null where the system keeps no such account. */
export function findProcessorClock(pid: number): (() => number) | null {
  const folder = `/proc/${pid}/task`;
  // In nanoseconds, unlike /proc/<pid>/stat, which counts in hundredths of a second.
  const spent = (thread: string) => Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ", 1)[0]);
  const read = () => readdirSync(folder).reduce((sum, thread) => sum + spent(thread) / 1000, 0);
  try {
    return read() > 0 ? read : null;
  } catch {
    return null;
  }
}
