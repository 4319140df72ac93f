import { expect, test } from "vitest";
import { murmur3 } from "../../src/engine/murmur3.ts";

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
