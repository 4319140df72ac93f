/** The log of one tenant: what became of log-ins, and warnings. */
import { DurableObject } from "cloudflare:workers";
import { parseAllowedHosts } from "../model/allowed-hosts.ts";
import type { LogEntry, LogEntryView } from "../model/log-entry.ts";
import type { LogStreamDelivery } from "../model/log-stream.ts";
import type { CountQuery, EntryCounts } from "./count-entries.ts";
import type { EntryQuestion, FoundEntries } from "./find-entries.ts";
import { createKeeper, type Keeper, type StreamSync } from "./keeper.ts";
import { readLogLimits } from "./limits.ts";

export interface LogbookEnv {
  LOG_RETENTION_DAYS?: string;
  LOG_MAX_MB?: string;
  LOG_STREAM_HOSTS?: string;
}

const rest = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Logbook extends DurableObject<LogbookEnv> {
  readonly #keeper: Keeper;

  constructor(ctx: DurableObjectState, env: LogbookEnv) {
    super(ctx, env);
    this.#keeper = createKeeper({
      storage: ctx.storage,
      limits: readLogLimits(env).limits,
      fetch: (url, init) => fetch(url, init),
      allowed: parseAllowedHosts(env.LOG_STREAM_HOSTS ?? "").allowed,
      rest,
      now: Date.now,
      random: Math.random,
    });
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

  /** Told by the tenant's control plane, again until it has heard. */
  async sync(told: StreamSync): Promise<number> {
    return this.#keeper.sync(told);
  }

  async deliveries(): Promise<Record<string, LogStreamDelivery>> {
    return this.#keeper.deliveries();
  }

  override async alarm(): Promise<void> {
    await this.#keeper.ring();
  }
}
