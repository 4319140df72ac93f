import * as fc from "fast-check";
import { expect, test } from "vitest";
import { murmur3 } from "../../src/engine/murmur3.ts";
import { Subject } from "../../src/engine/subject.ts";

const text = fc.oneof(
  fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)), maxLength: 20 }),
);

/** So many that they are hashed together, and one that is hashed alone. */
const salts = fc.oneof(
  fc.array(text, { minLength: 3, maxLength: 20 }),
  text.map((salt) => [salt]),
);

test("equals murmur3 of salt/subject for any salts and subjects", { timeout: 60_000 }, () => {
  void fc.assert(
    fc.property(salts, fc.array(text, { maxLength: 3 }), (salts, texts) => {
      const subject = new Subject();
      const added = salts.map((salt) => subject.add(salt));
      for (const each of ["", ...texts, ...texts]) {
        for (const salt of added) expect(subject.hash(salt, each)).toBe(murmur3(`${salt.text}/${each}`));
      }
    }),
    { numRuns: 5_000 },
  );
});

/** Characters of one to four bytes, and halves of pairs, which become three. */
const characters = ["a", "é", "端", "😀", "\ud83d", "\ude00"];

/** Every text of up to `length` characters: each length in bytes, in every mix, at the end and before other characters. */
function* spell(length: number): Generator<string> {
  yield "";
  if (length === 0) return;
  for (const shorter of spell(length - 1)) for (const character of characters) yield character + shorter;
}

test.each([1, 2, 3, 4, 9])(
  "equals murmur3 for every mix of characters behind every alignment, with %i salts a subject",
  { timeout: 60_000 },
  (count) => {
    const texts = [...new Set([...spell(4)].flatMap((each) => [each, `abcd${each}`, `${each}efghi`]))];
    let differences = 0;
    for (const begin of ["", "1", "12", "123", "1234", "żółć"]) {
      const subject = new Subject();
      const salts = Array.from({ length: count }, (_, number) => subject.add(begin + "x".repeat(number)));
      for (const each of texts) {
        const salt = salts[each.length % count];
        if (salt !== undefined && subject.hash(salt, each) !== murmur3(`${salt.text}/${each}`)) differences++;
      }
    }
    expect(differences).toBe(0);
  },
);

test.each([
  [1, "Zażółć gęślą jaźń 🦎 0123456789 abcdefghijklmnopqrstuvwxyz"],
  [100, "Zażółć gęślą jaźń 🦎 0123456789 abcdefghijklmnopqrstuvwxyz"],
  [1, "0123456789 abcdefghijklmnopqrstuvwxyz 🦎 jaźń"],
  [100, "0123456789 abcdefghijklmnopqrstuvwxyz 🦎 jaźń"],
])(
  "equals murmur3 at every length and alignment, among %i salts, whichever it met before: %s",
  { timeout: 60_000 },
  (count, letters) => {
    for (let saltLength = 0; saltLength <= 20; saltLength++) {
      const subject = new Subject();
      const salt = subject.add(letters.slice(-saltLength || letters.length));
      for (let other = 1; other < count; other++) subject.add(`other-${other}`);
      for (let subjectLength = 0; subjectLength <= letters.length; subjectLength++) {
        const text = letters.slice(0, subjectLength);
        expect(subject.hash(salt, text)).toBe(murmur3(`${salt.text}/${text}`));
      }
    }
  },
);

test("a salt added later leaves the hashes of the others as they are, for the text at hand too", () => {
  const subject = new Subject();
  const salts: ReturnType<Subject["add"]>[] = [];
  for (let number = 0; number < 40; number++) {
    salts.push(subject.add(`salt-${number}`));
    for (const salt of salts) expect(subject.hash(salt, "użytkownik-1")).toBe(murmur3(`${salt.text}/użytkownik-1`));
  }
});

test("a text longer than any before is hashed like others", () => {
  for (const count of [1, 5]) {
    const subject = new Subject();
    const salts = Array.from({ length: count }, (_, number) => subject.add(`s${number}`));
    for (const each of ["a", "端".repeat(5_000), "b", "é".repeat(20_000), "c"]) {
      for (const salt of salts) expect(subject.hash(salt, each)).toBe(murmur3(`${salt.text}/${each}`));
    }
  }
});
