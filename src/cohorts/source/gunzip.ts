/** Files that are gzip by themselves, which no header tells. */
import { SourceError } from "./source-error.ts";

/**
 * The chunks as they are, or what they are the gzip of.
 * @param where named in errors
 * @throws {SourceError} where the gzip is damaged or has no end; and what `chunks` throws
 */
export async function* unzip(chunks: AsyncGenerator<Uint8Array>, where?: string): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array();
  while (head.length < 2) {
    const { done, value } = await chunks.next();
    if (done) break;
    head = new Uint8Array([...head, ...value]);
  }
  const all = prepend(head, chunks);
  // No UTF-8 begins like this.
  yield* head[0] === 0x1f && head[1] === 0x8b ? gunzip(all, where) : all;
}

async function* prepend(head: Uint8Array, chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* chunks;
}

/**
 * By Node's gunzip and not `DecompressionStream`, which unpacks all it is given whether or not anybody reads it, and takes
 * no file of several members (what `cat a.gz b.gz` makes). Loaded when needed: the gate shares this Worker.
 */
async function* gunzip(chunks: AsyncGenerator<Uint8Array>, where?: string): AsyncGenerator<Uint8Array> {
  const [{ createGunzip }, { pipeline, Readable }] = await Promise.all([import("node:zlib"), import("node:stream")]);
  let passed = 0;
  /** Copies, since a Node stream reads ahead and a chunk may be good only until the next is asked for. */
  async function* copies(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      passed += chunk.length;
      yield chunk.slice();
    }
  }
  try {
    yield* pipeline(Readable.from(copies()), createGunzip({ chunkSize: 64 * 1024 }), () => {});
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    const message = `damaged gzip, within the first ${passed} bytes: ${error.message}`;
    throw new SourceError("interrupted", where === undefined ? message : `${where}: ${message}`);
  }
}

function isOfZlib(error: unknown): error is Error {
  return error instanceof Error && "code" in error && /^Z_/.test(String(error.code));
}
