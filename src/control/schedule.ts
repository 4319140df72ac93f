/** An object has one alarm for all that it does by itself: the alarm is set for whatever is due first. */
import type { Job } from "./retry.ts";

/** A job that hangs goes on behind the alarm, so that it holds up no other. */
const patienceMs = 1_000;

export interface Schedule {
  /** Sets the alarm for what is due first. Awaits nothing: called with a commit, it is stored with it or not at all. */
  arm(): void;
  /** As `arm`, unless an alarm is set: after a restart there may be none. */
  rearm(): Promise<void>;
  /** Runs a job now, whether it is due or not. Never rejects. */
  hurry(job: Job): Promise<void>;
  /** What the alarm rings for. No job makes it reject: an alarm that throws is rung six times and then no more. */
  ring(): Promise<void>;
}

export function createSchedule(storage: DurableObjectStorage, jobs: readonly Job[], now: () => number): Schedule {
  const firstDue = () => Math.min(...jobs.flatMap((job) => job.dueAt() ?? []));

  function arm(): void {
    const due = firstDue();
    void (Number.isFinite(due) ? storage.setAlarm(due) : storage.deleteAlarm());
  }
  async function hurry(job: Job): Promise<void> {
    try {
      await job.run();
      arm();
    } catch (error) {
      console.error(JSON.stringify({ message: "control plane: a job has failed", reason: String(error) }));
    }
  }

  return {
    arm,
    hurry,
    async rearm() {
      if (Number.isFinite(firstDue()) && (await storage.getAlarm()) === null) arm();
    },
    async ring() {
      // An alarm may ring early, by another machine's clock: then what it was set for counts as due.
      const until = Math.max(now(), firstDue());
      const runs = jobs.filter((job) => (job.dueAt() ?? Number.NaN) <= until).map(hurry);
      arm();
      await within(patienceMs, Promise.all(runs));
    },
  };
}

/** Waits for the end of `work`, but not for longer. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, patience]);
  clearTimeout(timer);
}
