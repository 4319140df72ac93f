/** The control plane of one tenant: the only writer of its configuration. */
import { DurableObject } from "cloudflare:workers";
import { type Alarm, createAlarm, type Job } from "../alarms/alarm.ts";
import { atMost } from "../alarms/deadline.ts";
import { isSameJson } from "../model/json-value.ts";
import { type ManagementCode, Problem, problems } from "../model/problem.ts";
import type { CohortIndex } from "../model/snapshot.ts";
import type { Scope } from "../model/token.ts";
import { type CohortDefinitions, cohortDefinitions } from "./cohort-definitions.ts";
import { type Actor, type Command, type Desk, drawId, type TenantSettings } from "./command.ts";
import { cohortCommands } from "./commands/cohorts.ts";
import { logStreamCommands } from "./commands/log-streams.ts";
import { type CommandName, commands } from "./commands.ts";
import { warningsAbout } from "./invalidated.ts";
import { buildLatest, type LatestSnapshot, serializeLatest } from "./latest-snapshot.ts";
import { createLogOutbox } from "./log-outbox.ts";
import { type LogStreamDefinitions, logStreamDefinitions } from "./log-stream-definitions.ts";
import { createObjectOutbox } from "./object-outbox.ts";
import { createPublisher, isPending } from "./publisher.ts";
import { createRateLimiter, type Rate, type RateLimiter } from "./rate-limit.ts";
import { ControlStore, type Facts } from "./store.ts";
import { createDraft, secretKinds, type Tables } from "./tables.ts";

export interface ControlEnv {
  SNAPSHOTS: KVNamespace;
  EVENTS: Queue;
  COHORTS: DurableObjectNamespace;
  LOGBOOK: DurableObjectNamespace;
}

/** Of another object of the tenant, what is called here. */
interface ToldObject<Told> {
  sync(told: Told): Promise<number>;
}

export interface ControlRequest {
  tenant: TenantSettings;
  /** Whom the border has verified, or the hash of a token that only this object knows. */
  credential: { actor: Actor } | { tokenHash: string };
  /** Null where any will do. */
  scope: Scope | null;
  /** Null to learn only whether the caller may: what else is wrong is told to nobody who may not. */
  command: CommandName | null;
  /** As `InputOf<command>`. */
  input: { params: Record<string, string>; query: unknown; body: unknown };
  correlationId: string;
  /** Where the request came in, for the log. */
  hostname: string;
  /** Requests a second of one actor, in the long run; ten times as many at once. */
  ratePerSecond?: number;
}

/**
 * Values, not exceptions: what is thrown loses its class on the way out of an object.
 * `json` is null for an answer without a body; `rate` is the actor's, once it is known who that is.
 */
export type ControlAnswer = (
  | { ok: true; json: string | null }
  | { ok: false; code: ManagementCode; message: string }
) & { rate?: Rate };

/** Of one that may do nothing, that it may not is a finding. */
const tellsWhy: CommandName = "get_experiment_diagnosis";
/** Kinds that nothing at the edge reads. */
const unpublished: ReadonlySet<string> = new Set(["log_stream", ...secretKinds, "token"]);
const defaultRatePerSecond = 100;
const burstSeconds = 10;
/** An object that does not answer holds no request up for longer. */
const tellingMs = 1_000;

export class Control extends DurableObject<ControlEnv> {
  readonly #store: ControlStore;
  readonly #publisher: Job;
  readonly #logOutbox: Job;
  readonly #cohortOutbox: Job;
  readonly #streamOutbox: Job;
  readonly #alarm: Alarm;
  readonly #desk: Desk;
  #tables: Tables;
  #facts: Partial<Facts>;
  #latest: LatestSnapshot | undefined;
  /** By requests a second. */
  readonly #limiters = new Map<number, RateLimiter>();

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#store = new ControlStore(ctx.storage);
    this.#tables = this.#store.loadTables();
    this.#facts = this.#store.loadFacts();
    const tools = {
      facts: () => this.#facts,
      remember: (facts: Partial<Facts>) => this.#remember(facts),
      now: Date.now,
      random: Math.random,
    };
    this.#publisher = createPublisher({
      ...tools,
      kv: env.SNAPSHOTS,
      built: () => this.#newest(),
      onWanted: () => void this.#alarm.hurry(this.#publisher),
    });
    this.#logOutbox = createLogOutbox({ ...tools, queue: env.EVENTS, store: this.#store });
    this.#cohortOutbox = createObjectOutbox({
      ...tools,
      failure: "cohorts not told of yet",
      revision: "cohortRevision",
      synced: "cohortsSynced",
      retry: "syncing",
      tell: (tenant, revision) => {
        const cohorts = objectOf<CohortDefinitions>(env.COHORTS, tenant);
        return cohorts.sync({ tenant, revision, cohorts: cohortDefinitions(this.#tables) });
      },
    });
    this.#streamOutbox = createObjectOutbox({
      ...tools,
      failure: "log streams not told of yet",
      revision: "streamRevision",
      synced: "streamsSynced",
      retry: "streaming",
      tell: (tenant, revision) => {
        const logbook = objectOf<LogStreamDefinitions>(env.LOGBOOK, tenant);
        return logbook.sync({ tenant, revision, streams: logStreamDefinitions(this.#tables) });
      },
    });
    const jobs = [this.#publisher, this.#logOutbox, this.#cohortOutbox, this.#streamOutbox];
    const failure = "control plane: a job has failed";
    this.#alarm = createAlarm({ storage: ctx.storage, jobs, now: Date.now, failure });
    this.#desk = {
      changes: (filter) => this.#store.readChanges(filter),
      snapshot: () => this.#newest().snapshot,
      facts: () => this.#facts,
    };
    void this.#alarm.rearm();
  }

  /** Runs one command; what it changed is stored before this answers. */
  async execute(request: ControlRequest): Promise<ControlAnswer> {
    let rate: Rate | undefined;
    const answer = (body: Exclude<ControlAnswer, { rate: Rate }>): ControlAnswer => ({
      ...body,
      ...(rate && { rate }),
    });
    try {
      const now = new Date();
      const { credential } = request;
      const actor = "actor" in credential ? credential.actor : this.#actorOf(credential.tokenHash, now);
      rate = this.#limiterOf(request.ratePerSecond ?? defaultRatePerSecond).take(actor.name);
      if (rate.isExceeded) throw new Problem("too_many_requests");
      const body = this.#run(request, actor, now);
      await this.#tellOthers(request.command);
      return answer({ ok: true, json: body === undefined ? null : JSON.stringify(body) });
    } catch (error) {
      if (error instanceof Problem) return answer({ ok: false, code: error.code, message: error.message });
      const { command, correlationId: correlation_id, tenant } = request;
      const reason = error instanceof Error ? (error.stack ?? String(error)) : String(error);
      console.error(
        JSON.stringify({ message: "a command failed", command, tenant: tenant.id, correlation_id, reason }),
      );
      const { title } = problems.internal_error;
      return answer({ ok: false, code: "internal_error", message: title });
    }
  }

  /**
   * Publishes where the members of cohorts are found now. Called by the tenant's cohort object, which asks again until this
   * answers; not in the change log, since nobody changed the configuration.
   * @param number counts up from one announcement to the next
   * @returns that of the one in force: a higher one than was given when it had been overtaken
   * @throws {Problem} when the snapshot would be too large
   */
  async setCohortIndex(number: number, index: CohortIndex): Promise<number> {
    const { tenant, cohortIndex, cohortAnnouncement: known = 0, version: before = 0 } = this.#facts;
    if (tenant === undefined) throw new Error("nobody has written to this control plane: it has no cohorts");
    if (number <= known) return known;
    if (isSameJson(index, cohortIndex)) {
      this.#remember({ cohortAnnouncement: number });
      return number;
    }
    const at = new Date().toISOString();
    const version = before + 1;
    const facts = { ...newVersion(this.#facts, version, at), cohortAnnouncement: number, cohortIndex: index };
    const resources = createDraft(this.#tables, 0).resources();
    const latest = serializeLatest(resources, { tenant, version, publishedAt: at, cohorts: index });
    this.#store.saveFacts(facts);
    this.#take(latest, facts);
    return number;
  }

  override async alarm(): Promise<void> {
    await this.#alarm.ring();
  }

  #run({ tenant, scope, command, input, correlationId, hostname }: ControlRequest, actor: Actor, now: Date): unknown {
    if (scope !== null && !actor.scopes.includes(scope)) throw new Problem("insufficient_scope", `${scope}.`);
    if (!tenant.entitled && command !== tellsWhy) throw new Problem("feature_not_entitled");
    if (command === null) return undefined;

    const draft = createDraft(this.#tables, this.#facts.nextPosition ?? this.#store.positionAfterLast());
    const at = now.toISOString();
    // Nothing here may await: another command would begin on the same state.
    const run = commands[command] as unknown as Command<unknown>;
    const body = run({ draft, tenant, actor, at, newId: drawId, desk: this.#desk }, input);

    const writes = draft.writes();
    if (writes.length === 0) return body;
    const isPublished = writes.some(({ kind }) => !unpublished.has(kind));
    const aboutCohorts = writes.some(({ kind }) => kind === "cohort" || kind === "secret");
    const aboutStreams = writes.some(({ kind }) => kind === "log_stream" || kind === "stream_secret");
    const before = this.#facts;
    const version = (before.version ?? 0) + (isPublished ? 1 : 0);
    const facts: Partial<Facts> = {
      tenant: tenant.id,
      nextPosition: Math.max(before.nextPosition ?? 0, ...writes.map(({ position }) => position + 1)),
      ...(aboutCohorts ? { cohortRevision: (before.cohortRevision ?? 0) + 1 } : {}),
      ...(aboutStreams ? { streamRevision: (before.streamRevision ?? 0) + 1 } : {}),
      ...(isPublished ? { ...newVersion(before, version, at), activeLimit: tenant.activeLimit } : {}),
    };
    const options = { tenant: tenant.id, version, publishedAt: at, cohorts: before.cohortIndex };
    const latest = isPublished ? serializeLatest(draft.resources(), options) : undefined;
    // A setting is not a change of the configuration, so that what it made invalid is not reported with the next change.
    const { activeLimit, verifiesUsers } = tenant;
    const states = {
      before: { resources: createDraft(this.#tables, 0).resources(), activeLimit: before.activeLimit, verifiesUsers },
      after: { resources: draft.resources(), activeLimit, verifiesUsers },
    };
    const entries = isPublished ? warningsAbout(states, { tenant: tenant.id, at, hostname }) : [];
    const change = { version, at, actor: actor.name, operation: command, correlationId };
    this.#store.commit({ writes, facts, change, entries });
    this.#tables = draft.tables();
    this.#take(latest, facts);
    if (aboutCohorts) void this.#alarm.hurry(this.#cohortOutbox);
    if (aboutStreams) void this.#alarm.hurry(this.#streamOutbox);
    if (entries.length > 0) void this.#alarm.hurry(this.#logOutbox);
    // A warning must be seen although the queue be down.
    for (const entry of entries) console.warn(JSON.stringify(entry));
    return body;
  }

  /** What has been stored becomes what is in force, and is sent out. Awaits nothing: its alarm is stored with it. */
  #take(latest: LatestSnapshot | undefined, facts: Partial<Facts>): void {
    this.#facts = { ...this.#facts, ...facts };
    if (latest === undefined) return;
    this.#latest = latest;
    this.#alarm.arm();
    void this.#alarm.hurry(this.#publisher);
  }

  /** What comes next may be asked of another object: it should know by then what was answered here. */
  async #tellOthers(command: CommandName | null): Promise<void> {
    const told = [
      [cohortCommands, this.#cohortOutbox],
      [logStreamCommands, this.#streamOutbox],
    ] as const;
    for (const [commandsOf, outbox] of told) {
      if (command === null || !Object.hasOwn(commandsOf, command) || outbox.dueAt() === null) continue;
      await atMost(tellingMs, this.#alarm.hurry(outbox));
    }
  }

  /** @throws {Problem} when no token has this hash, or it has expired */
  #actorOf(hash: string, now: Date): Actor {
    for (const { item } of this.#tables.token.values()) {
      if (item.hash !== hash) continue;
      if (item.expires_at !== undefined && Date.parse(item.expires_at) <= now.getTime()) {
        throw new Problem("invalid_token", `It expired at ${item.expires_at}.`);
      }
      return { name: `token:${item.id}`, scopes: item.scopes };
    }
    throw new Problem("invalid_token");
  }

  /** The setting changes when the Worker is deployed anew, and objects outlive that. */
  #limiterOf(perSecond: number): RateLimiter {
    const known = this.#limiters.get(perSecond);
    if (known) return known;
    const limiter = createRateLimiter({ perSecond, burst: perSecond * burstSeconds }, Date.now);
    this.#limiters.set(perSecond, limiter);
    return limiter;
  }

  #remember(facts: Partial<Facts>): void {
    this.#store.saveFacts(facts);
    this.#facts = { ...this.#facts, ...facts };
  }

  /** Built once a version, by the commit or by who asks first. */
  #newest(): LatestSnapshot {
    const { tenant = "", version = 0, committedAt = "", cohortIndex: cohorts } = this.#facts;
    if (this.#latest?.version !== version) {
      const resources = createDraft(this.#tables, 0).resources();
      this.#latest = buildLatest(resources, { tenant, version, publishedAt: committedAt, cohorts });
    }
    return this.#latest;
  }
}

function objectOf<Told>(namespace: DurableObjectNamespace, tenant: string): ToldObject<Told> {
  return namespace.get(namespace.idFromName(tenant)) as unknown as ToldObject<Told>;
}

function newVersion(before: Partial<Facts>, version: number, at: string): Partial<Facts> {
  return { version, committedAt: at, pendingSince: isPending(before) ? (before.pendingSince ?? at) : at };
}
