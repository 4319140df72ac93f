import { expect, test } from "vitest";
import { murmur3 } from "../../src/engine/murmur3.ts";
import { Subject } from "../../src/engine/subject.ts";
import { createRandom } from "./random.ts";

test.each([
  ["", 0],
  ["test", 0xba6bd213],
  ["Hello, world!", 0xc0363e43],
  ["exp_1/é", 0x6549b6d8],
  ["My 🚀 is full of 🦎.", 1818098979],
  ["吉 星 高 照", 3435142074],
])("murmur3(%j) is %i", (text, hash) => {
  expect(murmur3(text)).toBe(hash);
});

const encoder = new TextEncoder();

/** The product modulo 2^32, by way of 16-bit halves, which floats hold exactly. */
const times = (a: number, b: number): number =>
  ((((a >>> 16) * (b & 0xffff) + (a & 0xffff) * (b >>> 16)) % 65536) * 65536 + (a & 0xffff) * (b & 0xffff)) % 2 ** 32;
const rotate = (x: number, by: number): number => ((x << by) | (x >>> (32 - by))) >>> 0;
const scramble = (word: number): number => times(rotate(times(word, 0xcc9e2d51), 15), 0x1b873593);

/** MurmurHash3 x86 32-bit of the encoded text, seed 0, written from its description and sharing nothing with ours. */
function referenceMurmur3(text: string): number {
  const bytes = encoder.encode(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  let h = 0;
  for (let at = 0; at < whole; at += 4) {
    h = (h ^ scramble(view.getUint32(at, true))) >>> 0;
    h = (times(rotate(h, 13), 5) + 0xe6546b64) % 2 ** 32;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at--) rest = rest * 256 + view.getUint8(at);
  h = (h ^ scramble(rest) ^ bytes.length) >>> 0;
  h = times((h ^ (h >>> 16)) >>> 0, 0x85ebca6b);
  h = times((h ^ (h >>> 13)) >>> 0, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

const kinds = [
  ["ASCII", 0x00, 0x7f],
  ["Latin-1", 0x80, 0xff],
  ["CJK", 0x4e00, 0x9fff],
  ["emoji", 0x1f300, 0x1faff],
  ["lone surrogates", 0xd800, 0xdfff],
] as const;

test.each(kinds)(
  "200,000 random %s strings hash as an independent UTF-8 murmur3 says",
  { timeout: 60_000 },
  (_, first, last) => {
    const random = createRandom(first);
    const texts = ["", "s", "sa", "salt", "zażółć"];
    // One hashes its salts together; the others know one each.
    const together = new Subject();
    const hashers = texts.map((salt) => {
      const alone = new Subject();
      return { salt, together: together.add(salt), alone, only: alone.add(salt) };
    });
    let differences = 0;
    for (let i = 0; i < 200_000; i++) {
      let text = "";
      // Code units, so that surrogates stay alone unless a low one happens to follow a high one.
      for (let length = random(24); length > 0; length--)
        text += String.fromCodePoint(first + random(last - first + 1));
      const hasher = hashers[i % hashers.length];
      if (hasher === undefined) continue;
      if (murmur3(text) !== referenceMurmur3(text)) differences++;
      const wanted = referenceMurmur3(`${hasher.salt}/${text}`);
      if (together.hash(hasher.together, text) !== wanted) differences++;
      if (hasher.alone.hash(hasher.only, text) !== wanted) differences++;
    }
    expect(differences).toBe(0);
  },
);
