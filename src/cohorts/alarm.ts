/** An object has one alarm for all that it does by itself: the alarm is set for whatever is due first. */
import type { Job } from "./retry.ts";

/** A job that takes longer goes on behind the alarm, so that it holds up no other. */
const patienceMs = 1_000;
/** The alarm may ring early, by another machine's clock. */
const skewMs = 250;

export interface Alarm {
  /** Sets the alarm for what is due first. Awaits nothing: called with a write, it is stored with it or not at all. */
  arm(): void;
  /** Starts what is due, without waiting for the alarm. */
  start(): void;
  /** What the alarm rings for. Never rejects: an alarm that throws is rung six times and then no more. */
  ring(): Promise<void>;
}

export function createAlarm(storage: DurableObjectStorage, jobs: readonly Job[], now: () => number): Alarm {
  const firstDue = () => Math.min(...jobs.flatMap((job) => job.dueAt() ?? []));

  function arm(): void {
    const due = firstDue();
    void (Number.isFinite(due) ? storage.setAlarm(due) : storage.deleteAlarm());
  }
  async function run(job: Job, until: number): Promise<void> {
    try {
      await job.run(until);
      // What is left of it, and what its end makes due, is the next alarm's: each has its own share of the processor.
      arm();
    } catch (error) {
      console.error(JSON.stringify({ message: "cohorts: a job has failed", reason: String(error) }));
    }
  }
  function start(until: number): Promise<void>[] {
    const runs = jobs.filter((job) => (job.dueAt() ?? Number.NaN) <= until).map((job) => run(job, until));
    arm();
    return runs;
  }

  return {
    arm,
    start: () => void start(now()),
    async ring() {
      const runs = start(now() + skewMs);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([Promise.all(runs), patience]);
      clearTimeout(timer);
    },
  };
}
