/** A tenant filled through the management API. */
import { request } from "node:http";

export interface ApiOptions {
  url: string;
  /** Sent as the Host header. */
  host: string;
  token: string;
}

/** Calls the API; the body of a success. @throws with the answer of anything else */
export type Api = (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;

// `fetch` may not set the Host header.
export function createApi({ url, host, token }: ApiOptions): Api {
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const sent = request(
        new URL(`/api/v2/experimentation${path}`, url),
        { method, headers: { host, authorization: `Bearer ${token}`, "content-type": "application/json" } },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (chunk: string) => {
            text += chunk;
          });
          response.once("end", () => {
            const { statusCode = 0 } = response;
            if (statusCode < 300) resolve(text === "" ? {} : JSON.parse(text));
            else reject(new Error(`${method} ${path}: ${statusCode} ${text}`));
          });
        },
      );
      sent.once("error", reject);
      sent.end(body === undefined ? "" : JSON.stringify(body));
    });
}

/** Flags with two variations each, rolled out by a rule; the first has an active experiment on it. */
export async function seed(
  api: Api,
  { flags }: { flags: number },
): Promise<{ experimentId: string; flagIds: string[] }> {
  const flagIds: string[] = [];
  let experimentId = "";
  for (let number = 0; number < flags; number++) {
    const { id } = await api("POST", "/feature-flags", {
      name: `Flag ${number}`,
      parameters: { title: { type: "string", value: "Sign in" } },
    });
    const variations = [];
    for (const [name, overrides] of [
      ["Control", {}],
      ["Treatment", { title: { value: "Welcome" } }],
    ] as const) {
      variations.push(await api("POST", `/feature-flags/${id}/variations`, { name, overrides }));
    }
    await api("POST", `/feature-flags/${id}/status`, { status: "active" });
    flagIds.push(String(id));
    if (number > 0) continue;
    const experiment = await api("POST", "/experiments", {
      name: "The one that runs",
      feature_flag_id: id,
      authentication_flow: "authentication",
      allocation_strategy: "percentage",
      assignment_config: { subject: "device" },
      allocations: variations.map((variation, index) => ({
        variation_id: variation.id,
        weight: 50,
        is_control: index === 0,
      })),
    });
    experimentId = String(experiment.id);
    await api("POST", `/experiments/${experimentId}/status`, { status: "active" });
  }
  return { experimentId, flagIds };
}
