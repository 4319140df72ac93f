/** What holds of whatever a ledger may have counted. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { diagnose } from "../../src/diagnosis/diagnose.ts";
import { reportOn } from "../../src/diagnosis/report.ts";
import type { Evidence } from "../../src/diagnosis/scene.ts";
import { defaultThresholds } from "../../src/model/diagnosis-thresholds.ts";
import { addCounts, type LedgerCounts, noCounts } from "../../src/model/ledger-counts.ts";
import { epoch, evidenceOf, healthyWorld, iso, nowMs, startMs, variationId } from "./world.ts";

const template = evidenceOf(healthyWorld({ visitors: 50 }));
const cellFields = Object.keys(template.counts?.cells[0] ?? {});

const size = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 2_000_000 }));
const variation = fc.constantFrom("var_a", "var_b", "var_gone");
const number = fc.constantFrom(1, 2, 9);
const at = fc.option(
  fc.integer({ min: startMs, max: nowMs }).map((ms) => iso(ms)),
  { nil: null },
);

const cell = fc
  .tuple(
    variation,
    number,
    fc.constantFrom("auto", "sticky", "inclusion"),
    fc.array(size, { minLength: 30, maxLength: 30 }),
    at,
  )
  .map(([variation_id, number, method, sizes, time]) => {
    const fields = cellFields.map((field, index) => [field, field.endsWith("_at") ? time : (sizes[index % 30] ?? 0)]);
    return { ...Object.fromEntries(fields), variation_id, epoch: number, method };
  });

const counts: fc.Arbitrary<LedgerCounts> = fc
  .record({
    cells: fc.array(cell, { maxLength: 6 }),
    unassigned: fc.array(
      fc.record({ variation_id: variation, source: fc.constantFrom("ingest", "native"), units: size }),
      {
        maxLength: 3,
      },
    ),
    attributes: fc.array(
      fc.record({
        name: fc.constantFrom("browser", "platform", "deployment", "segment", "source"),
        value: fc.constantFrom("a", "b", "dep_1", "(none)", "(other)", "gate"),
        epoch: number,
        variation_id: variation,
        assigned: size,
        exposed: size,
      }),
      { maxLength: 12 },
    ),
    placebos: fc.array(
      fc.record({ bit: fc.constantFrom(0, 1), value: fc.constantFrom(0, 1), assigned: size, exposed: size }),
      { maxLength: 4 },
    ),
    missing: fc.array(fc.record({ property: fc.constant("plan"), platform: fc.constantFrom("a", "b"), units: size }), {
      maxLength: 2,
    }),
    links: fc.array(fc.record({ variation_id: variation, users: size, with_two: size, with_three: size }), {
      maxLength: 3,
    }),
    kinds: fc.array(
      fc.record({
        type: fc.constantFrom("assignment", "exposure"),
        subject_kind: fc.constantFrom("device", "user"),
        units: size,
      }),
      { maxLength: 4 },
    ),
  })
  .map((lists) => addCounts([{ ...noCounts, ...lists } as LedgerCounts]));

const shares = fc.record({ var_a: fc.constantFrom(0, 0.5, 1), var_b: fc.constantFrom(0.5, 1e-6) });

const evidence: fc.Arbitrary<Evidence> = fc
  .record({ all: counts, part: counts, first: shares, second: shares, isCut: fc.boolean() })
  .map(({ all, part, first, second, isCut }) => {
    const middle = (startMs + nowMs) / 2;
    const epochs = [epoch(1, startMs, middle, first), epoch(2, middle, null, second)];
    const window = isCut ? { from: iso(middle - 1000) } : null;
    return { ...template, record: { ...template.record, epochs }, counts: all, window, windowed: isCut ? part : null };
  });

test("every status is one, every number finite, and every answer survives as JSON", () => {
  fc.assert(
    fc.property(evidence, (given) => {
      const diagnosis = diagnose(given, defaultThresholds);
      expect(JSON.parse(JSON.stringify(diagnosis))).toEqual(diagnosis);
      const report = reportOn({ ...given, highest: null, thresholds: defaultThresholds });
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      expect(report.srm.sequential.p).toBeGreaterThanOrEqual(0);
      expect(report.srm.sequential.p).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});

test("what the order of variations is changes no status", () => {
  const swapped = (id: string) => ({ var_a: "var_b", var_b: "var_a" })[id] ?? id;
  fc.assert(
    fc.property(counts, (all) => {
      const { record } = template;
      const even = [epoch(1, startMs, null, { [variationId(0)]: 0.5, [variationId(1)]: 0.5 })];
      const variations = record.variations.map((each) => ({ ...each, is_control: false }));
      const statuses = (given: LedgerCounts) =>
        diagnose(
          { ...template, record: { ...record, epochs: even, variations }, counts: given },
          defaultThresholds,
        ).srm.map(({ id, status }) => `${id} ${status}`);
      const renamed = JSON.parse(JSON.stringify(all), (key, value) =>
        key === "variation_id" ? swapped(value) : value,
      );
      expect(statuses(addCounts([renamed]))).toEqual(statuses(all));
    }),
    { numRuns: 200 },
  );
});
