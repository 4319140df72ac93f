/** Apps that fetch their variation with a deployment's key, by the native addresses or by Amplitude's. */
import { type Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Device } from "./people.ts";

export interface Fetched {
  variationId: string;
  /** Key of the variation. */
  variation: string;
  epoch: number;
}

export interface AskedFor {
  deviceId: string;
  device: Device;
  attributes?: Record<string, string>;
  /** What the app was given before, and remembers. */
  sticky?: string;
}

export interface Exposure {
  deviceId: string;
  variationId: string;
  experimentId: string;
  /** Draws a line between one exposure and the next of the same subject. */
  id: string;
  /** The app's own event that counts as one. */
  event?: string;
}

export interface AmplitudeEvent {
  event_type: string;
  device_id: string;
  time: number;
  insert_id: string;
  event_properties: Record<string, unknown>;
}

export interface App {
  /** Its variation of the flag; null where it gets none. Fetching tells that it was assigned. */
  fetch(asked: AskedFor): Promise<Fetched | null>;
  /** The same by Amplitude's address, telling nothing: as an app that evaluates by itself knows it. */
  evaluate(asked: AskedFor): Promise<Fetched | null>;
  /** Tells that variations were seen. */
  expose(exposures: readonly Exposure[]): Promise<void>;
  /** Amplitude's events, as its SDKs send them, some of them late. */
  sendEvents(events: readonly AmplitudeEvent[]): Promise<void>;
  /** Whose a device is. */
  identify(deviceId: string, userId: string): Promise<void>;
  /** Of the configuration that is served. */
  version(): Promise<number>;
}

export interface AppOptions {
  url: string;
  key: string;
  flagKey: string;
  agent: Agent;
}

/** How many events a queue takes at once. */
const mostAtOnce = 50;

export function createApp({ url, key, flagKey, agent }: AppOptions): App {
  async function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const { status, text } = await send(`${url}${path}`, JSON.stringify(body), agent, {
      "content-type": "application/json",
      ...headers,
    });
    if (status < 200 || status > 299) throw new Error(`${path} answers ${status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }
  const ask = (path: string, body: unknown, device?: Device, headers: Record<string, string> = {}) =>
    post(path, body, {
      authorization: `Bearer ${key}`,
      ...(device === undefined ? {} : { "user-agent": device.userAgent }),
      ...headers,
    });

  return {
    async fetch({ deviceId, device, attributes, sticky }) {
      const body = {
        device_id: deviceId,
        ...(attributes === undefined ? {} : { attributes }),
        ...(sticky === undefined ? {} : { sticky: { [flagKey]: sticky } }),
        flag_keys: [flagKey],
      };
      const answer = (await ask("/_vestibule/v1/assignments", body, device)) as { assignments: NativeAssignment[] };
      const [found] = answer.assignments;
      if (!found?.experiment || !found.variation_id || !found.variation) return null;
      return { variationId: found.variation_id, variation: found.variation, epoch: found.epoch ?? 1 };
    },

    async evaluate({ deviceId, device }) {
      const track = { "x-amp-exp-track": "no-track" };
      const body = { device_id: deviceId, flag_keys: [flagKey] };
      const answer = (await ask("/sdk/v2/vardata", body, device, track)) as Record<string, AmplitudeVariant>;
      const { key: variation, metadata } = answer[flagKey] ?? {};
      if (variation === undefined || metadata?.default === true) return null;
      return { variation, variationId: String(metadata?.variationId ?? ""), epoch: metadata?.epoch ?? 1 };
    },

    async expose(exposures) {
      for (const some of inParts(exposures, mostAtOnce)) {
        const told = some.map(({ deviceId, variationId, experimentId, id, event }) => ({
          device_id: deviceId,
          experiment_id: experimentId,
          variation_id: variationId,
          id,
          ...(event === undefined ? {} : { event }),
        }));
        const { errors } = (await ask("/_vestibule/v1/exposures", { exposures: told })) as { errors: object[] };
        if (errors.length > 0) throw new Error(`exposures are refused: ${JSON.stringify(errors[0])}`);
      }
    },

    async sendEvents(events) {
      for (const some of inParts(events, mostAtOnce)) await post("/2/httpapi", { api_key: key, events: some });
    },

    async identify(deviceId, userId) {
      await ask("/_vestibule/v1/identify", { device_id: deviceId, user_id: userId });
    },

    async version() {
      // No flag is asked for: nobody is assigned by it.
      const body = { device_id: "who-looks-on", flag_keys: [] };
      return ((await ask("/_vestibule/v1/assignments", body)) as { version: number }).version;
    },
  };
}

interface NativeAssignment {
  variation: string | null;
  variation_id: string | null;
  experiment: object | null;
  epoch: number | null;
}

interface AmplitudeVariant {
  key: string;
  metadata?: { default?: boolean; variationId?: string; epoch?: number };
}

function inParts<Item>(items: readonly Item[], most: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, part) =>
    items.slice(part * most, (part + 1) * most),
  );
}

/** Not by `fetch`: it has a user agent of its own, and takes longer. */
function send(
  address: string,
  body: string,
  agent: Agent,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const url = new URL(address);
  const request = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", headers, agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      // Kept open, and closed by the other side just as it was to be used.
      if (outgoing.reusedSocket && error.code === "ECONNRESET") resolve(send(address, body, agent, headers));
      else reject(error);
    });
    outgoing.end(body);
  });
}
