/** Members without end, the same at every run: ids as Auth0 gives them. */
import { createCipheriv, createHash } from "node:crypto";

const idBytes = 12;
/** Made in one go. */
export const together = 10_000;

/** The same for the same seed. */
function randomBytesOf(seed: string, length: number): Buffer {
  const key = createHash("sha256").update(seed).digest().subarray(0, 16);
  return createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

function makeBlock(seed: string): string[] {
  const text = randomBytesOf(seed, together * idBytes).toString("hex");
  return Array.from({ length: together }, (_, at) => `auth0|${text.slice(at * idBytes * 2, (at + 1) * idBytes * 2)}`);
}

/**
 * @param count a multiple of `together`
 * @param edition one member in a hundred is another at each
 */
export function* membersOf(count: number, edition = 0): Generator<string[]> {
  for (let block = 0; block < count / together; block++) {
    const ids = makeBlock(`block ${block}`);
    const others = edition === 0 ? [] : makeBlock(`block ${block}, edition ${edition}`);
    for (let at = 0; at < others.length; at += 100) ids[at] = others[at] as string;
    yield ids;
  }
}

/** About one in ten of `count` subjects, others for each `cohort`. */
export function* choiceOf(count: number, cohort: number): Generator<string[]> {
  let block = 0;
  for (const ids of membersOf(count)) {
    const lots = randomBytesOf(`cohort ${cohort}, block ${block++}`, ids.length);
    yield ids.filter((_, at) => (lots[at] as number) < 256 / 10);
  }
}
