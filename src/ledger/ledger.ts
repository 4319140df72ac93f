/** One shard of a tenant's ledger: exact counts of the units that fall to it. Shard 0, the root, also keeps what is one of a kind. */
import { DurableObject } from "cloudflare:workers";
import type { Forgotten } from "./forgetting.ts";
import { type CountsQuestion, createKeeper, type Keeper, type ShardCounts } from "./keeper.ts";
import { type LedgerSettingName, readLedgerLimits } from "./limits.ts";
import type { Delivery } from "./recorder.ts";
import type { Look, Verdict } from "./verdicts.ts";

export type LedgerEnv = Partial<Record<LedgerSettingName, string>>;

const rest = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

export class Ledger extends DurableObject<LedgerEnv> {
  readonly #keeper: Keeper;

  constructor(ctx: DurableObjectState, env: LedgerEnv) {
    super(ctx, env);
    const { limits } = readLedgerLimits(env);
    this.#keeper = createKeeper({ storage: ctx.storage, limits, rest, now: Date.now });
  }

  /** Ids of events that can never be counted; all others are, once this resolves, and saying them again changes nothing. */
  async record(deliveries: readonly Delivery[]): Promise<string[]> {
    return this.#keeper.record(deliveries);
  }

  async readCounts(experiment: string, question: CountsQuestion = {}): Promise<ShardCounts | null> {
    return this.#keeper.counts(experiment, question);
  }

  async forget(units: readonly string[]): Promise<Forgotten> {
    return this.#keeper.forget(units);
  }

  /** Of the root: into how many shards experiments are divided; those that it has never heard of into `shards`, for ever. */
  async fixLayout(experiments: readonly string[], shards: number): Promise<Record<string, number>> {
    return this.#keeper.fixLayout(experiments, shards);
  }

  /** Of the root. */
  async mostShards(): Promise<number> {
    return this.#keeper.mostShards();
  }

  /** Of the root. */
  async keepVerdict(experiment: string, look: Look): Promise<{ highest: number }> {
    return this.#keeper.keepVerdict(experiment, look);
  }

  /** Of the root. */
  async verdicts(): Promise<Verdict[]> {
    return this.#keeper.verdicts();
  }

  override async alarm(): Promise<void> {
    await this.#keeper.ring();
  }
}
