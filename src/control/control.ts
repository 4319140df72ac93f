/** The control plane of one tenant: the only writer of its configuration. */
import { DurableObject } from "cloudflare:workers";
import { buildSnapshot } from "../model/build-snapshot.ts";
import { type ManagementCode, Problem } from "../model/problem.ts";
import { maxSnapshotBytes, type Snapshot } from "../model/snapshot.ts";
import type { Scope } from "../model/token.ts";
import { type Actor, type Command, type Desk, drawId, type TenantSettings } from "./command.ts";
import { type CommandName, commands } from "./commands.ts";
import { warningsAbout } from "./invalidated.ts";
import { createPublisher, type Publisher } from "./publisher.ts";
import { ControlStore, type Facts } from "./store.ts";
import { createDraft, type Tables } from "./tables.ts";

export interface ControlEnv {
  SNAPSHOTS: KVNamespace;
  EVENTS: Queue;
}

export interface ControlRequest {
  tenant: TenantSettings;
  /** Whom the border has verified, or the hash of a token that only this object knows. */
  credential: { actor: Actor } | { tokenHash: string };
  scope: Scope;
  command: CommandName;
  /** As `InputOf<command>`. */
  input: { params: Record<string, string>; query: unknown; body: unknown };
  correlationId: string;
  /** Where the request came in, for the log. */
  hostname: string;
}

/** Values, not exceptions: what is thrown loses its class on the way out of an object. */
export type ControlAnswer =
  /** `json` null: an answer without a body. */
  { ok: true; json: string | null } | { ok: false; code: ManagementCode; message: string };

/** Kinds that nothing at the edge reads. */
const unpublished: ReadonlySet<string> = new Set(["token"]);

export class Control extends DurableObject<ControlEnv> {
  readonly #store: ControlStore;
  readonly #publisher: Publisher;
  readonly #desk: Desk;
  #tables: Tables;
  #facts: Partial<Facts>;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    this.#store = new ControlStore(ctx.storage);
    this.#tables = this.#store.loadTables();
    this.#facts = this.#store.loadFacts();
    this.#publisher = createPublisher({
      storage: ctx.storage,
      store: this.#store,
      kv: env.SNAPSHOTS,
      queue: env.EVENTS,
      now: Date.now,
      random: Math.random,
      facts: () => this.#facts,
      remember: (facts) => {
        this.#store.saveFacts(facts);
        this.#facts = { ...this.#facts, ...facts };
      },
      build: () => this.#snapshot(),
    });
    this.#desk = {
      changes: (filter) => this.#store.readChanges(filter),
      snapshot: () => this.#snapshot(),
      publishing: () => ({ ...this.#facts, ...this.#publisher.state() }),
    };
  }

  /** Runs one command; what it changed is stored before this answers. */
  async execute(request: ControlRequest): Promise<ControlAnswer> {
    try {
      const body = this.#run(request);
      return { ok: true, json: body === undefined ? null : JSON.stringify(body) };
    } catch (error) {
      if (error instanceof Problem) return { ok: false, code: error.code, message: error.message };
      throw error;
    }
  }

  override async alarm(): Promise<void> {
    await this.#publisher.flush();
  }

  #run({ tenant, credential, scope, command, input, correlationId, hostname }: ControlRequest): unknown {
    const now = new Date();
    const actor = "actor" in credential ? credential.actor : this.#actorOf(credential.tokenHash, now);
    if (!actor.scopes.includes(scope)) throw new Problem("insufficient_scope", `Expected any of: ${scope}.`);
    if (!tenant.entitled) throw new Problem("feature_not_entitled");

    const draft = createDraft(this.#tables, this.#facts.nextPosition ?? 0);
    const at = now.toISOString();
    // Nothing here may await: another command would begin on the same state.
    const run = commands[command] as unknown as Command<unknown>;
    const body = run({ draft, tenant, actor, at, newId: drawId, desk: this.#desk }, input);

    const writes = draft.writes();
    if (writes.length === 0) return body;
    const isPublished = writes.some(({ kind }) => !unpublished.has(kind));
    const version = (this.#facts.version ?? 0) + (isPublished ? 1 : 0);
    const facts: Partial<Facts> = {
      tenant: tenant.id,
      activeLimit: tenant.activeLimit,
      version,
      ...(isPublished ? { committedAt: at } : {}),
      nextPosition: Math.max(this.#facts.nextPosition ?? 0, ...writes.map(({ position }) => position + 1)),
    };
    if (isPublished) expectReadable(buildSnapshot(draft.resources(), { tenant: tenant.id, version, publishedAt: at }));
    const before = createDraft(this.#tables, 0).resources();
    const entries = isPublished ? warningsAbout(before, draft.resources(), { tenant, at, hostname }) : [];
    if (isPublished) this.#publisher.arm();
    this.#store.commit({
      writes,
      facts,
      change: { version, at, actor: actor.name, operation: command, correlationId },
      entries,
    });
    this.#tables = draft.tables();
    this.#facts = { ...this.#facts, ...facts };
    if (isPublished) void this.#publisher.flush();
    return body;
  }

  /** @throws {Problem} when no token has this hash, or it has expired */
  #actorOf(hash: string, now: Date): Actor {
    for (const { item } of this.#tables.token.values()) {
      if (item.hash !== hash) continue;
      if (item.expires_at !== undefined && Date.parse(item.expires_at) <= now.getTime()) break;
      return { name: `token:${item.id}`, scopes: item.scopes };
    }
    throw new Problem("invalid_token");
  }

  #snapshot(): Snapshot {
    const { tenant = "", version = 0, committedAt = "" } = this.#facts;
    return buildSnapshot(createDraft(this.#tables, 0).resources(), { tenant, version, publishedAt: committedAt });
  }
}

/** @throws {Problem} when the edge would refuse to read it */
function expectReadable(snapshot: Snapshot): void {
  const bytes = new TextEncoder().encode(JSON.stringify(snapshot)).length;
  if (bytes <= maxSnapshotBytes) return;
  throw new Problem("snapshot_too_large", `It would take ${bytes} bytes of ${maxSnapshotBytes}; shorten inclusions.`);
}
