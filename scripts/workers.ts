/**
 * The Workers of a deployment: the one before log-ins, as wrangler.toml has it, and those behind it, which are made of it.
 * Each is released by itself: a page that changes restarts no object, and nothing that log-ins go through.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Unstable_Config as Config, unstable_readConfig as readConfig } from "wrangler";
import { root, wranglerConfig } from "./paths.ts";

/** In the order in which they may be deployed: each calls only those before it. */
export const parts = ["records", "control", "management", "dashboard", "login"] as const;
export type Part = (typeof parts)[number];
type PartBehind = Exclude<Part, "login">;

export interface WorkerFile {
  part: Part;
  name: string;
  /** What wrangler reads. */
  configPath: string;
}

const assets = { directory: join(root, "src", "assets"), binding: "ASSETS", run_worker_first: true };

/** @returns what each has of its own, beside what all have. */
function ownOf(part: PartBehind, { queue, snapshots, variables, nameOf }: Shared): Record<string, unknown> {
  const own = (name: string, class_name: string) => ({ name, class_name });
  const of = (other: PartBehind, name: string, class_name: string) => ({
    name,
    class_name,
    script_name: nameOf(other),
  });
  const events = { producers: [{ binding: "EVENTS", queue }] };
  switch (part) {
    case "records":
      return {
        vars: variables,
        durable_objects: { bindings: [own("LOGBOOK", "Logbook"), own("LEDGER", "Ledger")] },
        migrations: [{ tag: "records", new_sqlite_classes: ["Logbook", "Ledger"] }],
        queues: {
          consumers: [
            {
              queue,
              max_batch_size: 100,
              max_batch_timeout: 5,
              // With the consumer's pauses, of 5 s doubling to 15 min, some five hours: for so long an object may be out
              // of reach.
              max_retries: 30,
              dead_letter_queue: `${queue}-dead`,
            },
          ],
        },
      };
    case "control":
      return {
        vars: variables,
        kv_namespaces: snapshots,
        queues: events,
        durable_objects: {
          bindings: [own("CONTROL", "Control"), own("COHORTS", "Cohorts"), of("records", "LOGBOOK", "Logbook")],
        },
        migrations: [{ tag: "control", new_sqlite_classes: ["Control", "Cohorts"] }],
        // Reading and hashing the members of a large cohort is one stretch of work: ten million take more than the 30 s
        // that are the default.
        limits: { cpu_ms: 300_000 },
      };
    case "management":
      return {
        assets,
        queues: events,
        durable_objects: {
          bindings: [
            of("control", "CONTROL", "Control"),
            of("control", "COHORTS", "Cohorts"),
            of("records", "LOGBOOK", "Logbook"),
            of("records", "LEDGER", "Ledger"),
          ],
        },
      };
    case "dashboard":
      return {
        assets,
        kv_namespaces: snapshots,
        services: [{ binding: "MANAGEMENT", service: nameOf("management"), entrypoint: "Management" }],
      };
  }
}

/** Of wrangler.toml, what others are made of. */
interface Shared {
  queue: string;
  snapshots: unknown;
  variables: unknown;
  nameOf(part: PartBehind): string;
}

const nameIn = ({ name }: Config, part: PartBehind) => `${name}-${part}`;
const queueOf = ({ queues }: Config) => queues.producers?.find(({ binding }) => binding === "EVENTS")?.queue;
const snapshotsOf = ({ kv_namespaces }: Config) => kv_namespaces.filter(({ binding }) => binding === "SNAPSHOTS");

/** What wrangler.toml lacks that the others are made of, and where it calls them by other names than they have. */
export function findNamingFaults(config: Config): string[] {
  const { services = [], durable_objects } = config;
  const serviceOf = (name: string) => services.find(({ binding }) => binding === name)?.service;
  const called: [string, string | undefined, PartBehind][] = [
    ["MANAGEMENT", serviceOf("MANAGEMENT"), "management"],
    ["DASHBOARD", serviceOf("DASHBOARD"), "dashboard"],
    ["COHORTS", durable_objects.bindings.find(({ name }) => name === "COHORTS")?.script_name, "control"],
  ];
  const misnamed = called.flatMap(([binding, name, part]) => {
    const right = nameIn(config, part);
    return name === right ? [] : [`wrangler.toml: ${binding} must be bound to ${right} (got ${name ?? "nothing"})`];
  });
  const hasSnapshots = snapshotsOf(config).length > 0;
  return [
    ...misnamed,
    ...(hasSnapshots ? [] : ["wrangler.toml: kv_namespaces has no SNAPSHOTS"]),
    ...(queueOf(config) === undefined ? ["wrangler.toml: queues.producers has no EVENTS"] : []),
  ];
}

/** @throws where wrangler.toml has naming faults */
function readShared(config: Config): Shared {
  const queue = queueOf(config);
  const faults = findNamingFaults(config);
  if (queue === undefined || faults.length > 0) throw new Error(faults.join("\n"));
  return { queue, snapshots: snapshotsOf(config), variables: config.vars, nameOf: (part) => nameIn(config, part) };
}

export function readConfiguration(environment?: string): Config {
  return readConfig({ config: wranglerConfig, ...(environment === undefined ? {} : { env: environment }) });
}

export interface WorkersOptions {
  /** Of wrangler.toml. */
  environment?: string | undefined;
  /** Over those of wrangler.toml. */
  variables?: Readonly<Record<string, string>>;
}

/** Calls `use` while the configurations of all Workers are there to be read, in the order of `parts`. */
export async function withWorkers<T>(
  use: (workers: WorkerFile[]) => Promise<T>,
  { environment, variables = {} }: WorkersOptions = {},
): Promise<T> {
  const config = readConfiguration(environment);
  const shared = readShared({ ...config, vars: { ...config.vars, ...variables } });
  const folder = await mkdtemp(join(tmpdir(), "vestibule-workers-"));
  try {
    const workers = parts.map(async (part): Promise<WorkerFile> => {
      if (part === "login") return { part, name: String(config.name), configPath: wranglerConfig };
      const name = shared.nameOf(part);
      const configPath = join(folder, `${part}.json`);
      const made = {
        name,
        main: join(root, "src", "workers", `${part}.ts`),
        account_id: config.account_id,
        compatibility_date: config.compatibility_date,
        compatibility_flags: config.compatibility_flags,
        minify: config.minify,
        keep_names: config.keep_names,
        observability: config.observability,
        // Nobody's address: only other Workers call them.
        workers_dev: false,
        preview_urls: false,
        ...ownOf(part, shared),
      };
      await writeFile(configPath, JSON.stringify(made));
      return { part, name, configPath };
    });
    return await use(await Promise.all(workers));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
