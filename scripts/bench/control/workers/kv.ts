/** A KV namespace as workerd asks for it, kept in memory. */
const values = new Map<string, { body: ArrayBuffer; metadata: string }>();

export default {
  async fetch(request: Request): Promise<Response> {
    const key = new URL(request.url).pathname;
    if (request.method === "PUT") {
      const metadata = request.headers.get("cf-kv-metadata") ?? "null";
      values.set(key, { body: await request.arrayBuffer(), metadata });
      return new Response(null);
    }
    const found = values.get(key);
    if (!found) return new Response(null, { status: 404 });
    return new Response(found.body, { headers: { "cf-kv-metadata": found.metadata } });
  },
};
