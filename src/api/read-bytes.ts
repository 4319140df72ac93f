/** Bodies from strangers, up to a bound. */

/** Stops at `most`, whatever length was announced. `broken`: it ended before its time. */
export async function readBytes(
  { body, headers }: Pick<Request, "body" | "headers">,
  most: number,
): Promise<Uint8Array | "too_large" | "broken"> {
  if (Number(headers.get("content-length")) > most) return "too_large";
  const reader = body?.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (reader) {
    let read: ReadableStreamReadResult<Uint8Array>;
    try {
      read = await reader.read();
    } catch {
      return "broken";
    }
    if (read.done) break;
    length += read.value.length;
    if (length > most) {
      reader.cancel().catch(() => {});
      return "too_large";
    }
    chunks.push(read.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
