/** An object has one alarm for all that it does by itself: the alarm is set for whatever is due first. */
import { atMost } from "./deadline.ts";

/** A job that takes longer goes on behind the alarm, so that it holds up no other. */
const patienceMs = 1_000;
/** The alarm may ring early, by another machine's clock. */
const skewMs = 250;

/** Something that the object does by itself, once it is due. */
export interface Job {
  /** In ms since the epoch; null while there is nothing to do. */
  dueAt(): number | null;
  /** Does what is due at `until`; joins a run that is under way. Rejects only where storage fails. */
  run(until: number): Promise<void>;
}

export interface Alarm {
  /** Sets the alarm for what is due first. Awaits nothing: called with a write, it is stored with it or not at all. */
  arm(): void;
  /** As `arm`, unless an alarm is set: after a restart there may be none. */
  rearm(): Promise<void>;
  /** Runs a job now, whether it is due or not. Never rejects. */
  hurry(job: Job): Promise<void>;
  /** Starts what is due, without waiting for the alarm. */
  start(): void;
  /** What the alarm rings for. Never rejects: an alarm that throws is rung six times and then no more. */
  ring(): Promise<void>;
}

export interface AlarmOptions {
  storage: DurableObjectStorage;
  jobs: readonly Job[];
  now: () => number;
  /** What is said on the console of a job that rejects. */
  failure: string;
}

export function createAlarm({ storage, jobs, now, failure }: AlarmOptions): Alarm {
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
      console.error(JSON.stringify({ message: failure, reason: String(error) }));
    }
  }
  function start(until: number): Promise<void>[] {
    const runs = jobs.filter((job) => (job.dueAt() ?? Number.NaN) <= until).map((job) => run(job, until));
    arm();
    return runs;
  }

  return {
    arm,
    async rearm() {
      if (Number.isFinite(firstDue()) && (await storage.getAlarm()) === null) arm();
    },
    hurry: (job) => run(job, now()),
    start: () => void start(now()),
    ring: () => atMost(patienceMs, Promise.all(start(now() + skewMs))),
  };
}
