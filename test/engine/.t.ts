import { compilePattern } from "../../src/engine/pattern.ts";

const time = (src: string, txt: string) => {
  const m = compilePattern(src);
  const t = performance.now();
  m(txt);
  const t1 = performance.now();
  m(txt);
  return [src, txt.length, (t1 - t).toFixed(2), (performance.now() - t1).toFixed(2)].join("  ");
};
const ab = (n: number) => {
  let s = "",
    x = 12345;
  for (let i = 0; i < n; i++) {
    x = Math.imul(x, 1103515245) + 12345;
    s += (x >>> 16) & 1 ? "a" : "b";
  }
  return s;
};
for (const n of [1024, 4096])
  for (const p of [
    "(a+)+$",
    "(a|b)*a(a|b){12}c",
    "[ab]*a[ab]{60}c",
    "(.*)*(.*)*(.*)*x",
    "[ab]*a[ab]{200}c",
    "((a?){10}){15}c",
    "^[\\w.+-]+@example\\.com$",
  ])
    console.log(time(p, ab(n)));
