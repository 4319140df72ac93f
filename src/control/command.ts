/** What a command of the management API is given. Commands read and write a draft; the object commits it whole or not at all. */
import type { FlowName } from "../model/flow.ts";
import { type IdKind, newId } from "../model/ids.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Scope } from "../model/token.ts";
import type { Change, ChangeFilter, Facts } from "./store.ts";
import type { Draft } from "./tables.ts";

/** Who asks, as the change log names them. */
export interface Actor {
  /** `root`, `token:<id>` or `jwt:<sub>`. */
  name: string;
  scopes: readonly Scope[];
}

/** Deployment settings of the tenant that its rules depend on. */
export interface TenantSettings {
  id: string;
  activeLimit: number;
  entitled: boolean;
  /** Whether `user` is set: without it the gate knows no user ids. */
  verifiesUsers: boolean;
  /** The flows that have pages at the gate, by the provider's preset and the tenant's rules. */
  gateFlows: readonly FlowName[];
  /** Of the addresses that this request names, those that may not be asked, each with the reason. */
  refusedAddresses?: Readonly<Record<string, string>>;
}

/** What the object knows beside the resources. */
export interface Desk {
  changes(filter: ChangeFilter): Change[];
  /** Of what is committed, as it is or will be published. */
  snapshot(): Snapshot;
  /** What is committed, and how far publishing it has come. */
  facts(): Partial<Facts>;
}

export interface CommandContext {
  draft: Draft;
  desk: Desk;
  tenant: TenantSettings;
  actor: Actor;
  /** ISO time of the commit. */
  at: string;
  newId(kind: IdKind): string;
}

/** What a request says: path parameters, and query and body as their schemas give them. */
export interface Input<Params extends string = never, Query = unknown, Body = unknown> {
  params: Readonly<Record<Params, string>>;
  query: Query;
  body: Body;
}

/** Answers a JSON value, or undefined where the answer has no body. @throws {Problem} */
export type Command<I> = (context: CommandContext, input: I) => unknown;

const idBytes = 16;

export function drawId(kind: IdKind): string {
  return newId(kind, crypto.getRandomValues(new Uint8Array(idBytes)));
}

/** `changes` over `item`; a null takes the field away. */
export function merged<Item extends object>(item: Item, changes: object): Item {
  const fields = Object.entries({ ...item, ...changes }).filter(([, value]) => value !== null);
  return Object.fromEntries(fields) as Item;
}
