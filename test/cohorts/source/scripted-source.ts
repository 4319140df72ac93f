/** Sources for tests, each with a script of its own on the server of source-server.ts. */
import { inject } from "vitest";
import type { Seen, Step } from "./source-server.ts";

export const origin = (): string => inject("sourceOrigin");

export interface ScriptedSource {
  url: string;
  /** Its requests, the oldest first. */
  seen(): Promise<Seen[]>;
}

let sources = 0;

/** @param steps strings and bytes are sent as they are */
export async function createSource(steps: readonly (string | Uint8Array | Step)[]): Promise<ScriptedSource> {
  const name = `${crypto.randomUUID()}-${++sources}`;
  const script = steps.map((step) => {
    if (typeof step === "string") return { send: base64(new TextEncoder().encode(step)) };
    return step instanceof Uint8Array ? { send: base64(step) } : step;
  });
  await fetch(`${origin()}/script/${name}`, { method: "PUT", body: JSON.stringify(script) });
  return {
    url: `${origin()}/source/${name}`,
    async seen() {
      const response = await fetch(`${origin()}/seen/${name}`);
      return response.json<Seen[]>();
    },
  };
}

/** The head of an answer, as text. What is sent by script ends a connection's use. */
export function head(status: number, headers: Record<string, string | number> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\nconnection: close\r\n${lines.join("")}\r\n`;
}

/** An honest answer. */
export function answer(body: string | Uint8Array, headers: Record<string, string | number> = {}, status = 200) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  return [head(status, { "content-length": bytes.length, ...headers }), bytes];
}

export async function gzip(body: string | Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text);
}
