/** Keeps one provider's state in memory; `oidc-provider` brings one too, but shares it among providers and warns of itself. */

interface Stored {
  payload: Record<string, unknown>;
  expiresAtMs: number;
}

/** The shape `oidc-provider` asks of an adapter: one instance a model (session, interaction, code, grant …). */
export function createMemoryAdapter(): (model: string) => object {
  const entries = new Map<string, Stored>();

  const findWhere = (model: string, field: string, value: string): [string, Stored][] =>
    [...entries].filter(([key, { payload }]) => key.startsWith(`${model}:`) && payload[field] === value);

  const read = (key: string) => {
    const stored = entries.get(key);
    if (stored === undefined || stored.expiresAtMs > Date.now()) return stored?.payload;
    entries.delete(key);
    return undefined;
  };

  return (model) => ({
    async upsert(id: string, payload: Record<string, unknown>, expiresInSeconds?: number) {
      const expiresAtMs = Date.now() + (expiresInSeconds ?? Number.POSITIVE_INFINITY) * 1000;
      entries.set(`${model}:${id}`, { payload, expiresAtMs });
    },
    find: async (id: string) => read(`${model}:${id}`),
    async findByUid(uid: string) {
      const [found] = findWhere(model, "uid", uid);
      return found && read(found[0]);
    },
    findByUserCode: async () => undefined,
    async consume(id: string) {
      const payload = read(`${model}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    async destroy(id: string) {
      entries.delete(`${model}:${id}`);
    },
    async revokeByGrantId(grantId: string) {
      for (const [key] of findWhere(model, "grantId", grantId)) entries.delete(key);
    },
  });
}
