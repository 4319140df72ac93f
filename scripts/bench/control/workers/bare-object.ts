/** The least a control plane could do: one SQLite object behind a Worker, that reads or writes one row a request. */
import { DurableObject } from "cloudflare:workers";

interface Env {
  CONTROL: DurableObjectNamespace<Bare>;
}

export class Bare extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, body TEXT NOT NULL)");
    this.write("first", JSON.stringify({ name: "first" }));
  }

  read(id: string): string {
    return this.ctx.storage.sql.exec<{ body: string }>("SELECT body FROM item WHERE id = ?", id).one().body;
  }

  write(id: string, body: string): string {
    this.ctx.storage.sql.exec("INSERT OR REPLACE INTO item (id, body) VALUES (?, ?)", id, body);
    return body;
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const object = env.CONTROL.get(env.CONTROL.idFromName("one"));
    const answer =
      request.method === "POST"
        ? await object.write(crypto.randomUUID(), JSON.stringify(await request.json()))
        : await object.read("first");
    return new Response(answer, { headers: { "content-type": "application/json" } });
  },
};
