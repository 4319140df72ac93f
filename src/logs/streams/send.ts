/** Sends a batch to a stream's receiver: to an address that is allowed, without following it elsewhere, for so long only. */
import { within } from "../../alarms/deadline.ts";
import { addressOf, findAddressFault } from "../../model/allowed-hosts.ts";
import type { LogStreamDefinition } from "../../model/log-stream.ts";

/** Why a receiver has not taken a batch, for people: what, and where, and nothing that it is told in secret. */
export class DeliveryError extends Error {
  /** How long the receiver asks to be left alone. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs = 0) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface SenderOptions {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Of `parseAllowedHosts`. */
  allowed: readonly string[];
  /** From the request to the head of the answer; its body is not read. */
  answerMs: number;
}

export function createSender({ fetch, allowed, answerMs }: SenderOptions) {
  /** @throws {DeliveryError} */
  return async ({ sink, secrets }: LogStreamDefinition, body: string): Promise<void> => {
    const where = addressOf(sink.http_endpoint);
    const fault = findAddressFault(sink.http_endpoint, allowed, "LOG_STREAM_HOSTS");
    if (fault !== null) throw new DeliveryError(`${where}: ${fault}`);
    const headers = new Headers({ "user-agent": "Vestibule" });
    for (const { header, value } of secrets.http_custom_headers ?? []) headers.set(header, value);
    if (secrets.http_authorization !== undefined) headers.set("authorization", secrets.http_authorization);
    headers.set("content-type", sink.http_content_type);

    const controller = new AbortController();
    const init = { method: "POST", headers, body, redirect: "manual", signal: controller.signal } as const;
    const answer = await within(answerMs, fetch(sink.http_endpoint, init)).catch((error: unknown) => {
      controller.abort();
      throw new DeliveryError(`${where}: ${error instanceof Error ? error.message.replace(/\.$/, "") : String(error)}`);
    });
    answer.body?.cancel().catch(() => {});
    if (answer.status >= 200 && answer.status < 300) return;
    const isRedirect = answer.status >= 300 && answer.status < 400;
    throw new DeliveryError(
      `${where}: HTTP ${answer.status}${isRedirect ? ": redirects are not followed" : ""}`,
      retryAfterOf(answer.headers),
    );
  };
}

/** The form with seconds; that with a date is rare, and needs a clock. */
function retryAfterOf(headers: Headers): number {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : 0;
}
