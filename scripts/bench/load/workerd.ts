/**
 * workerd by itself, as `workerd serve` runs: Miniflare puts a Worker of its own before and behind each Worker, which
 * would be measured too.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface Service {
  /** ES modules, the first being the Worker. */
  modules: Readonly<Record<string, string>>;
  text: Readonly<Record<string, string>>;
  /** Binding name → kind and what answers it, `service` or `service:entrypoint`. */
  stores?: Readonly<Record<string, { kind: "kvNamespace" | "queue"; service: string }>>;
  cache?: string;
  /** Binding name → `service:entrypoint`, or a service alone. */
  services?: Readonly<Record<string, string>>;
  /**
   * Binding name → class of a Durable Object with SQLite, exported by the Worker, or by another as `service:class`; in
   * memory unless there is a `disk`.
   */
  objects?: Readonly<Record<string, string>>;
}

export interface Workerd {
  pid: number;
  /** Address of a socket, by its name in `sockets`. */
  urlOf(socket: string): string;
  close(): Promise<void>;
}

export interface WorkerdOptions {
  compatibilityDate: string;
  compatibilityFlags: readonly string[];
  services: Readonly<Record<string, Service>>;
  /** Services that are other processes, by name: host and port. */
  externals?: Readonly<Record<string, string>>;
  /** Folder in which Durable Objects are kept. */
  disk?: string;
  /** What one isolate's heap may hold; a Worker that needs more ends workerd. */
  heapMb?: number;
  /** Name → `service` or `service:entrypoint`. */
  sockets: Readonly<Record<string, string>>;
}

const quote = (text: string) => JSON.stringify(text);
const list = (items: readonly string[]) => `[${items.join(", ")}]`;

function designator(target: string): string {
  const [name = "", entrypoint] = target.split(":");
  return entrypoint === undefined ? quote(name) : `(name = ${quote(name)}, entrypoint = ${quote(entrypoint)})`;
}

function objectDesignator(target: string): string {
  const [service = "", className] = target.split(":");
  return className === undefined ? quote(target) : `(className = ${quote(className)}, serviceName = ${quote(service)})`;
}

/** The configuration (workerd.capnp), and the files it embeds. */
function configure(options: WorkerdOptions): Record<string, string> {
  const files: Record<string, string> = {};
  const embed = (content: string) => {
    const name = `embedded-${Object.keys(files).length}`;
    files[name] = content;
    return `embed ${quote(name)}`;
  };
  const storage = options.disk === undefined ? "inMemory = void" : 'localDisk = "disk"';
  const services = Object.entries(options.services).map(
    ([name, { modules, text, stores = {}, services: called = {}, cache, objects = {} }]) => {
      const bindings = [
        ...Object.entries(text).map(([key, value]) => `(name = ${quote(key)}, text = ${embed(value)})`),
        ...Object.entries(stores).map(
          ([key, { kind, service }]) => `(name = ${quote(key)}, ${kind} = ${designator(service)})`,
        ),
        ...Object.entries(called).map(([key, target]) => `(name = ${quote(key)}, service = ${designator(target)})`),
        ...Object.entries(objects).map(
          ([key, target]) => `(name = ${quote(key)}, durableObjectNamespace = ${objectDesignator(target)})`,
        ),
      ];
      const own = Object.values(objects).filter((target) => !target.includes(":"));
      const namespaces = own.map(
        (className) =>
          `(className = ${quote(className)}, uniqueKey = ${quote(`${name}-${className}`)}, enableSql = true)`,
      );
      const fields = [
        `modules = ${list(Object.entries(modules).map(([path, code]) => `(name = ${quote(path)}, esModule = ${embed(code)})`))}`,
        `compatibilityDate = ${quote(options.compatibilityDate)}`,
        `compatibilityFlags = ${list(options.compatibilityFlags.map(quote))}`,
        `bindings = ${list(bindings)}`,
        ...(cache === undefined ? [] : [`cacheApiOutbound = ${designator(cache)}`]),
        ...(namespaces.length === 0
          ? []
          : [`durableObjectNamespaces = ${list(namespaces)}`, `durableObjectStorage = (${storage})`]),
      ];
      return `(name = ${quote(name)}, worker = (${fields.join(", ")}))`;
    },
  );
  const network = '(name = "internet", network = (allow = ["public", "private"]))';
  const externals = Object.entries(options.externals ?? {}).map(
    ([name, address]) => `(name = ${quote(name)}, external = (address = ${quote(address)}, http = ()))`,
  );
  const disk =
    options.disk === undefined ? [] : [`(name = "disk", disk = (path = ${quote(options.disk)}, writable = true))`];
  const sockets = Object.entries(options.sockets).map(
    ([name, target]) => `(name = ${quote(name)}, address = "127.0.0.1:0", http = (), service = ${designator(target)})`,
  );
  const v8Flags = options.heapMb === undefined ? [] : [`--max-old-space-size=${options.heapMb}`];
  files["config.capnp"] = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = ${list([network, ...externals, ...disk, ...services])}, sockets = ${list(sockets)}, v8Flags = ${list(v8Flags.map(quote))});`;
  return files;
}

/** The binary that Miniflare would start. */
function findBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  return (require("workerd") as { default: string }).default;
}

/** What workerd tells on its control pipe, until every socket has its port. */
async function readPorts(control: Readable, count: number): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for await (const line of createInterface(control)) {
    const told: { event: string; socket?: string; port?: number } = JSON.parse(line);
    if (told.event === "listen" && told.socket && told.port) ports.set(told.socket, told.port);
    if (ports.size === count) return ports;
  }
  throw new Error("workerd did not start");
}

/** What workerd says, but for its remark on flags that newer compatibility dates imply. */
async function passOn(stderr: Readable): Promise<void> {
  for await (const line of createInterface(stderr)) if (!line.includes("became the default")) console.error(line);
}

export async function startWorkerd(options: WorkerdOptions): Promise<Workerd> {
  const folder = await mkdtemp(join(tmpdir(), "vestibule-bench-"));
  for (const [name, content] of Object.entries(configure(options))) await writeFile(join(folder, name), content);
  const child = spawn(findBinary(), ["serve", "--experimental", "--control-fd=3", join(folder, "config.capnp")], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  void passOn(child.stderr as Readable);
  const ended = once(child, "exit");
  const ports = await readPorts(child.stdio[3] as Readable, Object.keys(options.sockets).length);
  await rm(folder, { recursive: true });
  return {
    pid: child.pid ?? 0,
    urlOf(socket) {
      const port = ports.get(socket);
      if (port === undefined) throw new Error(`no socket ${socket}`);
      return `http://127.0.0.1:${port}`;
    },
    async close() {
      child.kill();
      await ended;
    },
  };
}
