import * as fc from "fast-check";
import { expect, test } from "vitest";
import { murmur3 } from "../../src/engine/murmur3.ts";
import { Salt, Subject } from "../../src/engine/salted-hash.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 20 }),
);

test("equals murmur3 of salt/subject for any salt and subject", { timeout: 60_000 }, () => {
  void fc.assert(
    fc.property(text, text, (salt, subject) => {
      for (const salts of [1, 100]) {
        expect(new Subject(salts).hash(new Salt(salt), subject)).toBe(murmur3(`${salt}/${subject}`));
      }
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  [1, "Zażółć gęślą jaźń 🦎 0123456789 abcdefghijklmnopqrstuvwxyz"],
  [100, "Zażółć gęślą jaźń 🦎 0123456789 abcdefghijklmnopqrstuvwxyz"],
  [1, "0123456789 abcdefghijklmnopqrstuvwxyz 🦎 jaźń"],
  [100, "0123456789 abcdefghijklmnopqrstuvwxyz 🦎 jaźń"],
])(
  "equals murmur3 at every length and alignment, made for %i salts, whichever it met before: %s",
  {
    timeout: 60_000,
  },
  (salts, letters) => {
    const subject = new Subject(salts);
    for (let subjectLength = 0; subjectLength <= letters.length; subjectLength++) {
      const text = letters.slice(0, subjectLength);
      for (let saltLength = 0; saltLength <= 20; saltLength++) {
        const salt = letters.slice(-saltLength || letters.length);
        expect(subject.hash(new Salt(salt), text)).toBe(murmur3(`${salt}/${text}`));
      }
    }
  },
);
