/** The log of one tenant: what became of log-ins, and warnings. */
import { DurableObject } from "cloudflare:workers";
import type { LogEntry, LogEntryView } from "../model/log-entry.ts";
import type { CountQuery, EntryCounts } from "./count-entries.ts";
import type { EntryQuestion, FoundEntries } from "./find-entries.ts";
import { createKeeper, type Keeper } from "./keeper.ts";
import { readLogLimits } from "./limits.ts";

export interface LogbookEnv {
  LOG_RETENTION_DAYS?: string;
  LOG_MAX_MB?: string;
}

const rest = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Logbook extends DurableObject<LogbookEnv> {
  readonly #keeper: Keeper;

  constructor(ctx: DurableObjectState, env: LogbookEnv) {
    super(ctx, env);
    this.#keeper = createKeeper({ storage: ctx.storage, limits: readLogLimits(env).limits, rest, now: Date.now });
  }

  async record(entries: readonly LogEntry[]): Promise<void> {
    this.#keeper.record(entries);
  }

  /** @throws where the question's `q` cannot be read, which the border has seen to */
  async find(question: EntryQuestion): Promise<FoundEntries> {
    return this.#keeper.find(question);
  }

  async get(logId: string): Promise<LogEntryView | null> {
    return this.#keeper.get(logId);
  }

  async countEntries(query: CountQuery): Promise<EntryCounts> {
    return this.#keeper.count(query);
  }

  /** What a person may have deleted of theirs; nothing here is known by a device. */
  async forgetSubject({ userId }: { userId?: string }): Promise<{ forgotten: number }> {
    return { forgotten: userId === undefined ? 0 : this.#keeper.forget(userId) };
  }

  override async alarm(): Promise<void> {
    await this.#keeper.ring();
  }
}
