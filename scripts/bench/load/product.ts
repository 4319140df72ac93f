/** Vestibule as it would be deployed, for a workerd that runs by itself. */
import { bundleAll } from "../../bundle.ts";
import type { Service } from "./workerd.ts";

type Text = Service["text"];

export interface LoginOptions {
  text: Text;
  /** Another build of it than today's. */
  script?: string;
  /** The service that answers for its stores, by entrypoints `Kv`, `Queue` and `Cache`. */
  stores: string;
}

/** The Worker before log-ins alone: nothing here asks those behind it. */
export async function loginService({ text, script, stores }: LoginOptions): Promise<Service> {
  return {
    modules: { "worker.js": script ?? (await bundleAll()).login },
    text,
    stores: {
      SNAPSHOTS: { kind: "kvNamespace", service: `${stores}:Kv` },
      EVENTS: { kind: "queue", service: `${stores}:Queue` },
    },
    services: { COHORTS: stores, MANAGEMENT: stores, DASHBOARD: stores },
    cache: `${stores}:Cache`,
  };
}

/** All Workers, by name: `login` is the one before log-ins. `kv` and `queue` are services that answer for them. */
export async function productServices(text: Text): Promise<Record<string, Service>> {
  const { login, management, control, records } = await bundleAll();
  const snapshots = { SNAPSHOTS: { kind: "kvNamespace", service: "kv" } } as const;
  const events = { EVENTS: { kind: "queue", service: "queue" } } as const;
  const modulesOf = (script: string) => ({ modules: { "worker.js": script }, text });
  return {
    login: {
      ...modulesOf(login),
      stores: { ...snapshots, ...events },
      objects: { COHORTS: "control:Cohorts" },
      // Nothing here asks for a page.
      services: { MANAGEMENT: "management:Management", DASHBOARD: "management" },
    },
    management: {
      ...modulesOf(management),
      stores: events,
      objects: {
        CONTROL: "control:Control",
        COHORTS: "control:Cohorts",
        LOGBOOK: "records:Logbook",
        LEDGER: "records:Ledger",
      },
    },
    control: {
      ...modulesOf(control),
      stores: { ...snapshots, ...events },
      objects: { CONTROL: "Control", COHORTS: "Cohorts", LOGBOOK: "records:Logbook" },
    },
    records: { ...modulesOf(records), objects: { LOGBOOK: "Logbook", LEDGER: "Ledger" } },
  };
}
