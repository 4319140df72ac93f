/** `npm run bench` measures everything, `npm run bench -- gate` one part. */
const parts: Readonly<Record<string, () => Promise<{ bench(): Promise<void> }>>> = {
  engine: () => import("./engine.ts"),
  gate: () => import("./gate.ts"),
  fetch: () => import("./fetch.ts"),
  control: () => import("./control.ts"),
  cohorts: () => import("./cohorts.ts"),
  ledger: () => import("./ledger.ts"),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`There is no bench ${unknown.join(", ")}. There are: ${Object.keys(parts).join(", ")}.`);
  process.exit(2);
}
for (const [name, load] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const { bench } = await load();
  await bench();
}

export {};
