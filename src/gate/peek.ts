/** Reading the beginning of a response's body before it is passed on, unchanged. */

export interface Peeked {
  /** The beginning of the body as text; all of it where it is not longer. */
  text: string;
  /** The same response, whole. */
  response: Response;
}

/** Bytes of a body that are looked at: pages that post themselves and JSON responses of logins are shorter. */
const maxPeekBytes = 32_768;
/** A body that comes slowly is passed on unread: a visitor waits for it. */
const peekTimeoutMs = 200;

/** The platform decodes these on reading and encodes again on sending. */
const encodings = new Set([null, "", "identity", "gzip", "br"]);

/** Whether the body is there as a whole and in the clear. */
export function isReadable({ body, headers, status }: Response): boolean {
  return body !== null && status !== 206 && encodings.has(headers.get("content-encoding"));
}

/** Null where the body cannot be read: then nothing of it was. Never rejects for what the body does. */
export async function peekBody(response: Response): Promise<Peeked | null> {
  const { body } = response;
  if (body === null || !isReadable(response)) return null;
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), peekTimeoutMs);
  });
  /** What ends the part that is read here: the body, its size, a fault of the origin's, or the time. */
  let pending: Promise<ReadableStreamReadResult<Uint8Array>> | null = null;
  let isDone = false;
  while (length < maxPeekBytes) {
    pending = reader.read();
    const result = await Promise.race([pending.catch(() => "failed" as const), late]);
    if (result === "late" || result === "failed") break;
    pending = null;
    if (result.done) {
      isDone = true;
      break;
    }
    chunks.push(result.value);
    length += result.value.byteLength;
  }
  clearTimeout(timer);
  const { readable, writable } = new IdentityTransformStream();
  void passOn(chunks, isDone ? null : { reader, pending }, writable);
  return { text: decode(chunks), response: new Response(readable, response) };
}

interface Rest {
  reader: ReadableStreamDefaultReader<Uint8Array>;
  /** A read that was under way when the looking ended. */
  pending: Promise<ReadableStreamReadResult<Uint8Array>> | null;
}

async function passOn(chunks: readonly Uint8Array[], rest: Rest | null, writable: WritableStream): Promise<void> {
  const writer = writable.getWriter();
  try {
    for (const chunk of chunks) await writer.write(chunk);
    for (let next = rest?.pending ?? rest?.reader.read(); next !== undefined; next = rest?.reader.read()) {
      const { value, done } = await next;
      if (done) break;
      await writer.write(value);
    }
    await writer.close();
  } catch (error) {
    // One end is gone: the other must learn of it.
    await Promise.allSettled([rest?.reader.cancel(error), writer.abort(error)]);
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("");
}
