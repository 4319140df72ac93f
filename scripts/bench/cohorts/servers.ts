/** A source of members, and a KV namespace as workerd asks for it: in this process, so that workerd's memory is its own. */
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

async function listen(answer: RequestListener): Promise<{ address: string; close(): Promise<void> }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface Source {
  origin: string;
  /** By path, the ids that are answered from now on, some at a time. */
  members: Map<string, () => Iterable<string[]>>;
  close(): Promise<void>;
}

/** NDJSON, a number of members at a time, as fast as it is read. */
export async function startSource(): Promise<Source> {
  const members: Source["members"] = new Map();
  const { address, close } = await listen(async (request, response) => {
    const batches = members.get(request.url ?? "");
    if (batches === undefined) return response.writeHead(404).end();
    for (const ids of batches()) {
      if (!response.write(`"${ids.join('"\n"')}"\n`)) await once(response, "drain");
    }
    return response.end();
  });
  return { origin: `http://${address}`, members, close };
}

export interface Kv {
  address: string;
  /** Puts of shards of the index, and their bytes, so far. */
  written(): { shards: number; bytes: number };
  /** What a key holds. */
  read(key: string): Buffer | undefined;
  /** Reads of shards so far. */
  reads(): number;
  close(): Promise<void>;
}

export async function startKv(): Promise<Kv> {
  const values = new Map<string, { body: Buffer; metadata: string }>();
  const isShard = (key: string) => key.startsWith("cohorts:");
  let shards = 0;
  let bytes = 0;
  let reads = 0;
  const { address, close } = await listen(async (request, response) => {
    const key = decodeURIComponent(new URL(request.url ?? "/", "http://kv").pathname.slice(1));
    if (request.method === "PUT") {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks);
      values.set(key, { body, metadata: String(request.headers["cf-kv-metadata"] ?? "null") });
      if (isShard(key)) [shards, bytes] = [shards + 1, bytes + body.length];
      return response.end();
    }
    if (request.method === "DELETE") values.delete(key);
    if (isShard(key)) reads++;
    const found = values.get(key);
    if (found === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { "cf-kv-metadata": found.metadata }).end(found.body);
  });
  return {
    address,
    written: () => ({ shards, bytes }),
    read: (key) => values.get(key)?.body,
    reads: () => reads,
    close,
  };
}
