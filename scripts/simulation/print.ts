/** A diagnosis as a person wants to read it: what was counted, what leads, what to do, and the rest in a line. */
import type { CheckResult, Json } from "../../src/diagnosis/check.ts";
import type { ExperimentReport } from "../../src/diagnosis/report.ts";
import { checksOf, type Simulated } from "./run.ts";

const mostRows = 8;
const mostDigits = 4;

/** Cells in columns, the first to the left and numbers to the right. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const isNumber = (text: string) => /^[\d.,%–<e-]+$/.test(text);
  return rows.map((row, index) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const isRight = column > 0 && (index === 0 ? isNumber(rows[1]?.[column] ?? "") : isNumber(cell));
        return isRight ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

const counted = new Intl.NumberFormat("en").format;
const share = (part: number, of: number) => (of === 0 ? "–" : `${((100 * part) / of).toFixed(1)}%`);

export function countsOf({ variations, excluded, jumping }: ExperimentReport): string[] {
  const total = variations.reduce((sum, { assignments }) => sum + assignments, 0);
  const head = [
    "variation",
    "assigned",
    "share",
    "weight",
    "exposed",
    "",
    "log-ins",
    "sign-ups",
    "failures",
    "pass-throughs",
  ];
  const rows = variations.map((one) => [
    `${one.name}${one.is_control && one.name !== "Control" ? " (control)" : ""}`,
    counted(one.assignments),
    share(one.assignments, total),
    one.share === null ? "–" : share(one.share, 1),
    counted(one.exposures),
    share(one.exposures, one.assignments),
    counted(one.logins),
    counted(one.signups),
    counted(one.failures),
    counted(one.pass_throughs),
  ]);
  const apart = Object.entries({ ...excluded, jumped: jumping.jumped }).filter(([, units]) => units > 0);
  const more = apart.map(([name, units]) => `${counted(units)} ${name}`).join(", ");
  return [...table([head, ...rows]), ...(more === "" ? [] : [`Beside them: ${more}.`])];
}

/** As it is said: ids of variations by their names, and figures short. */
export function evidenceOf({ evidence }: Pick<CheckResult, "evidence">, names: ReadonlyMap<string, string>): string[] {
  return linesOf(evidence, names);
}

function linesOf(values: Row, names: ReadonlyMap<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => {
    const label = names.get(name) ?? name.replaceAll("_", " ");
    if (isTable(value)) return [`${label}:`, ...rowsOf(value, names).map((row) => `  ${row}`)];
    if (isRow(value) && Object.values(value).some(isTable)) {
      const only = (wanted: boolean) =>
        Object.fromEntries(Object.entries(value).filter(([, each]) => isTable(each) === wanted));
      return [`${label}: ${said(only(false), names)}`, ...linesOf(only(true), names).map((line) => `  ${line}`)];
    }
    return [`${label}: ${said(value, names)}`];
  });
}

type Row = { readonly [name: string]: Json };

const isRow = (value: Json): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);
const isTable = (value: Json): value is readonly Row[] =>
  Array.isArray(value) && value.length > 0 && value.every(isRow);

function rowsOf(all: readonly Row[], names: ReadonlyMap<string, string>): string[] {
  const columns = [...new Set(all.flatMap((row) => Object.keys(row)))];
  const shown = all.slice(0, mostRows);
  const rows = shown.map((row) => columns.map((column) => said(row[column] ?? null, names)));
  const more = all.length > shown.length ? [`… and ${all.length - shown.length} more`] : [];
  return [...table([columns.map((column) => column.replaceAll("_", " ")), ...rows]), ...more];
}

function said(value: Json, names: ReadonlyMap<string, string>): string {
  if (value === null) return "–";
  if (typeof value === "number") return numeral(value);
  if (typeof value === "string") return names.get(value) ?? value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map((each) => said(each, names)).join("; ");
  return Object.entries(value)
    .map(([name, each]) => `${names.get(name) ?? name.replaceAll("_", " ")} ${said(each, names)}`)
    .join(", ");
}

function numeral(value: number): string {
  if (Number.isInteger(value)) return counted(value);
  return Math.abs(value) < 10 ** -mostDigits ? value.toExponential(1) : String(Number(value.toPrecision(mostDigits)));
}

const marks: Readonly<Record<CheckResult["status"], string>> = {
  fail: "✗",
  warn: "!",
  pass: "✓",
  insufficient_data: "·",
  not_applicable: "·",
};
/** Of those that neither fail nor warn. */
const quiet = [
  ["pass", "pass"],
  ["insufficient_data", "have too little data"],
  ["not_applicable", "do not apply"],
] as const;

export function print(simulated: Simulated): string[] {
  const { fault, report, diagnosis, isNamed, others, assigned, counted: had, experimentId } = simulated;
  const checks = checksOf(diagnosis);
  const leading = checks.find(({ id }) => id === diagnosis.leading);
  const names = new Map((report?.variations ?? []).map(({ variation_id, name }) => [variation_id, name]));
  const loud = ["fail", "warn"].flatMap((status) => checks.filter((check) => check.status === status));
  const found = leading === undefined ? "Nothing fails." : `${leading.title} (${leading.id}): ${leading.detail}`;
  return [
    "",
    `${experimentId}, with ${fault.check === null ? "nothing wrong" : `this wrong: ${fault.says}`}`,
    "",
    ...(report === null ? ["The report is not to be had."] : countsOf(report)),
    ...(had < assigned ? [`Only ${counted(had)} of ${counted(assigned)} assigned units have come to the ledger.`] : []),
    ...(report?.warnings ?? []),
    "",
    `Leading cause: ${found}`,
    ...loud.flatMap((check) => [
      "",
      `${marks[check.status]} ${check.title} (${check.id}) ${check.status}s`,
      `  ${check.detail}`,
      ...evidenceOf(check, names).map((line) => `    ${line}`),
      `  What to do: ${check.fix}`,
    ]),
    "",
    ...quiet.flatMap(([status, what]) => {
      const ids = checks.filter((check) => check.status === status).map(({ id }) => id);
      return ids.length === 0 ? [] : [`${marks[status]} ${ids.length} ${what}: ${ids.join(", ")}`];
    }),
    "",
    verdictOf({ fault, isNamed, others, diagnosis }),
  ];
}

export function verdictOf({
  fault,
  isNamed,
  others,
  diagnosis,
}: Pick<Simulated, "fault" | "isNamed" | "others" | "diagnosis">): string {
  const also = others.map(({ id }) => id).join(", ");
  if (fault.check === null) return isNamed ? "Healthy, and nothing fails." : `Healthy, and yet ${also} fails.`;
  if (!isNamed) return `The diagnosis was to name ${fault.check}, and names ${diagnosis.leading ?? "nothing"}.`;
  return `The diagnosis names ${fault.check} first${also === "" ? ", and nothing else fails" : `; ${also} fails, too`}.`;
}
