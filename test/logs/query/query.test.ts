import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fields } from "../../../src/logs/query/fields.ts";
import { matches, reachOf } from "../../../src/logs/query/match.ts";
import { findQueryFault, longestQuery, parseQuery } from "../../../src/logs/query/parse.ts";
import type { LogEntry } from "../../../src/model/log-entry.ts";
import { entry, experiment, warning } from "../entry.ts";

const login = entry({
  log_id: "11aa",
  date: "2030-01-31T12:00:00.500Z",
  client_id: "shop-app",
  connection: "Username-Password",
  ip: "2001:db8::1",
  user_agent: "Mozilla/5.0 (iPhone) Safari",
  user_id: "auth0|anna",
  details: {
    experiment: experiment("exp_a", { variation_id: "var_b", segment_id: "seg_m", is_control: true }),
    experiments: [
      experiment("exp_a", { variation_id: "var_b", segment_id: "seg_m", is_control: true }),
      experiment("exp_z", { method: "forced", epoch: 3 }),
    ],
  },
});
const failed = entry({ log_id: "22bb", date: "2030-02-01T00:00:00.000Z", type: "fs", description: 'Failed "Signup"' });
const warned = warning("experiment_circuit_open", { log_id: "33cc", date: "2030-02-02T08:30:59.999Z" });
const all = { login, failed, warned };

const found = (q: string) =>
  Object.entries(all)
    .filter(([, one]) => matches(parseQuery(q), one))
    .map(([name]) => name);

describe("q", () => {
  it.each<[string, (keyof typeof all)[]]>([
    ["type:s", ["login"]],
    ["type:(s OR fs)", ["login", "failed"]],
    ["type:(NOT s AND NOT w)", ["failed"]],
    ["type:seacft", []],
    ["NOT type:s", ["failed", "warned"]],
    ["-type:s AND !type:w", ["failed"]],
    ["NOT NOT type:s", ["login"]],
    ["type:s OR type:w AND type:fs", ["login"]],
    ["(type:s OR type:w) AND type:fs", []],
    ["type:s || type:w && type:w", ["login", "warned"]],
    ["  ( (type:s) )  ", ["login"]],
    ['type:"s"', ["login"]],
    ["log_id:11aa", ["login"]],
    ["_id:11*", ["login"]],
    ["log_id:11", []],
    ["log_id:*", ["login", "failed", "warned"]],
    ["client_id:shop\\-app", ["login"]],
    ["client_id:SHOP-APP", []],
    ["connection:Username*", ["login"]],
    ["ip:2001:db8::1", ["login"]],
    ["ip:(2001:db8::1 OR fe80::1)", ["login"]],
    ["ip:2001:db8:*", ["login"]],
    ['user_id:"auth0|anna"', ["login"]],
    ["_exists_:user_id", ["login"]],
    ["NOT _exists_:client_id", ["failed", "warned"]],
    ["hostname:login.example.com AND tenant_name:acme", ["login", "failed", "warned"]],
    ["description:signup", ["failed"]],
    ['description:"Success log"', ["login"]],
    ['description:"\\"signup\\""', ["failed"]],
    ["description:EXPERIMENT*", ["warned"]],
    ["user_agent:iphone", ["login"]],
    ["details.code:experiment_circuit_open", ["warned"]],
    ["details.code:experiment_*", ["warned"]],
    ['details.experiment.id:"exp_a"', ["login"]],
    ["details.experiment.id:exp_z", ["login"]],
    ["NOT details.experiment.id:exp_z", ["failed", "warned"]],
    ["_exists_:details.failed_open", []],
    ["details.experiment:*", ["login"]],
    ["_exists_:details.experiment", ["login"]],
    ["details.experiment.variation_id:var_b", ["login"]],
    ["details.experiment.segment_id:seg_m", ["login"]],
    ["details.experiment.is_control:true", ["login"]],
    ["details.experiment.is_control:false", ["login"]],
    ["details.experiment.method:forced", ["login"]],
    ["details.experiment.epoch:3", ["login"]],
    ["details.experiment.epoch:[2 TO *]", ["login"]],
    ["details.experiment.epoch:{1 TO 3}", []],
    ["details.experiment.epoch:>3", []],
    ["details.experiment.epoch:>=3", ["login"]],
    ["details.experiment.epoch:<0", []],
    ["date:2030-01-31", ["login"]],
    ["date:2030-01-31T12:00", ["login"]],
    ["date:2030-01-31T12:00:00", ["login"]],
    ["date:2030-01-31T12:00:00.5Z", ["login"]],
    ["date:2030-01-31T13:00:00.500+01:00", ["login"]],
    ['date:"2030-01-31T12:00:00.501Z"', []],
    ["date:[2030-01-31 TO 2030-02-01]", ["login", "failed"]],
    ["date:{2030-01-31 TO 2030-02-02}", ["failed"]],
    ["date:[2030-02-01 TO *]", ["failed", "warned"]],
    ["date:[* TO 2030-02-01}", ["login"]],
    ["date:{2030-02-01T00:00:00.000Z TO *]", ["warned"]],
    ["date:>=2030-02-01", ["failed", "warned"]],
    ["date:>2030-02-01", ["warned"]],
    ["date:<2030-02-01", ["login"]],
    ["date:<=2030-02-02T08:30", ["login", "failed", "warned"]],
    ["date:(2030-01-31 OR [2030-02-02 TO 2030-02-03])", ["login", "warned"]],
    ["date:[2030-02-02 TO 2030-02-01]", []],
  ])("%s", (q, names) => expect(found(q)).toEqual(names));

  it.each([
    ["type", 1, /"type": a field and its value must come here, such as type:s/],
    ["warnings please", 1, /"warnings": a field/],
    ["type:s and type:w", 8, /"and": AND or OR must come here, or the end/],
    ["type:s type:w", 8, /AND or OR must come here/],
    ["AND type:s", 1, /AND, OR and NOT stand in capitals|a field and its value/],
    ["type:s AND", 11, /the end: a field and its value/],
    ["type:", 6, /the end: a value of type/],
    ["type: s", 6, /a value of type must come here/],
    ["type:()", 7, /a value of type must come here/],
    ["typo:s", 1, /no field "typo"; there are log_id, _id, date, type/],
    ["details.experiment.name:x AND type:s", 1, /no field "details.experiment.name"/],
    ["__proto__:x", 1, /no field/],
    ["type:(s OR f", 6, /bracket that begins here has no end/],
    ["(type:s", 1, /bracket that begins here has no end/],
    ["type:s)", 7, /AND or OR must come here/],
    ['description:"open', 13, /quote that begins here has no end/],
    ["type:s*s", 7, /\* is for the end of a value/],
    ["client_id:a?", 12, /\? is for the end of a value/],
    ["ip:[10.0.0.1 TO 10.0.0.9]", 4, /only date and details.experiment.epoch have ranges/],
    ["date:[2030-01-01]", 6, /a range is written \[from TO to\]/],
    ["date:[2030-01-01 to *]", 6, /a range is written/],
    ["date:[2030-01-01 TO *", 6, /a range is written/],
    ["date:yesterday", 6, /must be a day or a time/],
    ["date:2030-02-30", 6, /must be a day or a time/],
    ["date:2030-01-31T25:00", 6, /must be a day or a time/],
    ["date:2030-*", 6, /cannot end in \*/],
    ["details.experiment.epoch:one", 26, /must be a whole number/],
    ["details.experiment.is_control:yes", 31, /must be true or false/],
    ["details.experiment:exp_a", 20, /only \* can be asked/],
    ["_exists_:nothing", 10, /no field "nothing"/],
    [`type:${"x".repeat(longestQuery)}`, longestQuery + 1, /1000 characters at most/],
    [`type:(${"s OR ".repeat(60)}s)`, 1, /50 values at most/],
    [`${"(".repeat(30)}type:s${")".repeat(30)}`, 21, /20 deep at most/],
    ["", 1, /the end: a field/],
  ])("refuses %s at character %i", (q, at, message) => {
    const fault = findQueryFault(q) ?? "";
    expect(fault).toMatch(message);
    if (!fault.includes("50 values")) expect(fault).toMatch(new RegExp(`^at character ${at}: `));
  });

  it("refuses or reads any text, and never throws what is no refusal", () => {
    const pieces = fc.constantFrom(
      ...'()[]{}"\\*?:-!<> ',
      "type:",
      "date:",
      " AND ",
      " OR ",
      "NOT ",
      " TO ",
      "s",
      "2030-01-01",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join("")),
        ),
        (q) => {
          const fault = findQueryFault(q);
          if (fault === null) for (const one of Object.values(all)) matches(parseQuery(q), one);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

/** A query as a tree, its text, and what it asks, worked out again without any of the code under test. */
interface Naive {
  text: string;
  asks: (one: LogEntry) => boolean;
}

const words = ["s", "f", "exp_a", "exp_b", "open now", 'a"b', "x\\y", "AND", "p*q", "(z)"];
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
const wordFields: [string, (one: LogEntry) => (string | undefined)[]][] = [
  ["type", ({ type }) => [type]],
  ["client_id", ({ client_id }) => [client_id]],
  ["user_id", ({ user_id }) => [user_id]],
  [
    "details.experiment.id",
    ({ details: { experiment: one, experiments } }) => (experiments ?? [one]).map((each) => each?.id),
  ],
];
const moments = ["2030-01-01T00:00:00.000Z", "2030-01-02T10:00:00.000Z", "2030-01-03T23:59:59.999Z"];

const leaf: fc.Arbitrary<Naive> = fc.oneof(
  fc
    .record({ field: fc.constantFrom(...wordFields), word: fc.constantFrom(...words) })
    .map(({ field: [name, read], word }) => ({
      text: `${name}:${quoted(word)}`,
      asks: (one: LogEntry) => read(one).includes(word),
    })),
  fc
    .record({ field: fc.constantFrom(...wordFields), word: fc.constantFrom("s", "exp", "p\\*", "") })
    .map(({ field: [name, read], word }) => ({
      text: `${name}:${word}*`,
      asks: (one: LogEntry) => read(one).some((value) => value?.startsWith(word.replace("\\", ""))),
    })),
  fc.constantFrom("cohort_stale", "nothing").map((code) => ({
    text: `details.code:${code}`,
    asks: ({ details }: LogEntry) => details.code === code,
  })),
  fc.record({ word: fc.constantFrom(...words) }).map(({ word }) => ({
    text: `description:${quoted(word)}`,
    asks: ({ description }: LogEntry) => new RegExp(RegExp.escape(word), "i").test(description),
  })),
  fc
    .record({
      from: fc.constantFrom("*", ...moments),
      to: fc.constantFrom("*", ...moments),
      opens: fc.constantFrom("[", "{"),
      closes: fc.constantFrom("]", "}"),
    })
    .map(({ from, to, opens, closes }) => ({
      text: `date:${opens}${from} TO ${to}${closes}`,
      asks: ({ date }: LogEntry) =>
        (from === "*" || date > from || (opens === "[" && date === from)) &&
        (to === "*" || date < to || (closes === "]" && date === to)),
    })),
);

const { tree } = fc.letrec<{ tree: Naive }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    tie("tree").map(({ text, asks }) => ({ text: `NOT (${text})`, asks: (one: LogEntry) => !asks(one) })),
    fc
      .record({ op: fc.constantFrom("AND", "OR"), parts: fc.array(tie("tree"), { minLength: 2, maxLength: 3 }) })
      .map(({ op, parts }) => ({
        text: parts.map(({ text }) => `(${text})`).join(` ${op} `),
        asks: (one: LogEntry) =>
          op === "AND" ? parts.every(({ asks }) => asks(one)) : parts.some(({ asks }) => asks(one)),
      })),
  ),
}));

const word = fc.constantFrom(...words);
const some = fc.option(word, { nil: undefined });
const anyEntry: fc.Arbitrary<LogEntry> = fc
  .record({
    type: fc.constantFrom("s", "ss", "f", "fs", "w"),
    date: fc.constantFrom(...moments),
    description: word,
    client_id: some,
    user_id: some,
    ids: fc.array(fc.constantFrom("exp_a", "exp_b"), { maxLength: 2 }),
  })
  .map(({ ids, client_id, user_id, ...rest }) => {
    const [first, ...others] = rest.type === "w" ? [] : ids.map((id) => experiment(id));
    return entry({
      ...(rest as Partial<LogEntry>),
      ...(client_id === undefined ? {} : { client_id }),
      ...(user_id === undefined ? {} : { user_id }),
      details: {
        ...(rest.type === "w" ? { code: "cohort_stale" as const } : {}),
        ...(first && { experiment: first }),
        ...(first && others.length > 0 && { experiments: [first, ...others] }),
      },
    });
  });

it("finds what a naive reading of any query finds, and never outside of where it says to look", () => {
  fc.assert(
    fc.property(tree, fc.array(anyEntry, { minLength: 1, maxLength: 8 }), ({ text, asks }, entries) => {
      fc.pre(text.length <= longestQuery && (text.match(/:/g)?.length ?? 0) <= 40);
      const query = parseQuery(text);
      const reach = reachOf(query);
      for (const one of entries) {
        expect(matches(query, one), text).toBe(asks(one));
        const at = Date.parse(one.date);
        if (asks(one)) {
          expect(reach.types).toContain(one.type);
          expect(at >= reach.since && at <= reach.until).toBe(true);
        }
      }
    }),
    { numRuns: 1_500 },
  );
});

it.each<[string, string[]]>([
  ["type:w", ["w"]],
  ["details.code:experiment_circuit_open", ["w"]],
  ["NOT details.code:*", ["s", "ss", "f", "fs", "w"]],
  ["details.experiment.id:exp_a OR details.failed_open:*", ["s", "ss", "f", "fs"]],
  ["details.experiment:* AND details.code:*", []],
  ["type:(s OR ss) AND details.experiment.id:exp_a", ["s", "ss"]],
  ["details.pass_through:true", ["s", "ss", "f", "fs"]],
  ["type:s OR ip:10.0.0.1", ["s", "ss", "f", "fs", "w"]],
  ["NOT type:w", ["s", "ss", "f", "fs"]],
  ["type:s AND type:w", []],
])("%s looks at entries of these types only: %o", (q, types) => expect(reachOf(parseQuery(q)).types).toEqual(types));

/** Entries as the gate writes them, and the searches of docs/operations.md. */
describe("documented searches", () => {
  const at = "2030-02-03T00:00:00.000Z";
  const entries = {
    plain: entry({ date: at, client_id: "shop-app", ip: "203.0.113.7", details: { experiment: experiment("exp_a") } }),
    sticky: entry({
      date: at,
      client_id: "shop-app",
      details: { experiment: experiment("exp_a", { method: "sticky" }) },
    }),
    included: entry({ date: at, type: "ss", details: { experiment: experiment("exp_a", { method: "inclusion" }) } }),
    forced: entry({ date: at, details: { experiment: experiment("exp_a", { method: "forced" }) } }),
    passed: entry({ date: at, details: { pass_through: true, experiment: experiment("exp_a") } }),
    failed: entry({ date: at, type: "f", details: { experiment: experiment("exp_a") } }),
    open: entry({ date: at, details: { failed_open: "budget" } }),
    none: entry({ date: at }),
    lost: warning("experiment_orphaned_params", { date: at }),
    broken: warning("experiment_failed_open", { date: at }),
  };

  it.each<[string, (keyof typeof entries)[]]>([
    ["details.code:(experiment_failed_open OR experiment_circuit_open)", ["broken"]],
    ["details.code:(experiment_not_found OR experiment_orphaned_params)", ["lost"]],
    ["type:(f OR fs) AND details.experiment.id:exp_a AND date:[2030-01-01 TO *]", ["failed"]],
    ["details.failed_open:*", ["open"]],
    ["type:(s OR ss) AND NOT (details.experiment:* OR details.failed_open:*)", ["none"]],
    ["details.experiment.method:forced", ["forced"]],
    ["details.experiment.method:(sticky OR inclusion)", ["sticky", "included"]],
    ["details.pass_through:true", ["passed"]],
    ["type:s AND details.experiment.id:exp_a AND NOT details.pass_through:true", ["plain", "sticky", "forced"]],
    ["details.pass_through:false", []],
    ["_exists_:details.pass_through", ["passed"]],
    ["client_id:shop-app", ["plain", "sticky"]],
    ["client_id:shop-app AND ip:203.0.113.*", ["plain"]],
  ])("%s finds %o", (q, names) => {
    const matching = Object.entries(entries).flatMap(([name, one]) => (matches(parseQuery(q), one) ? name : []));
    expect(matching).toEqual(names);
  });
});

it("takes no longer for a query that is made to be slow", () => {
  const long = entry({ description: "a".repeat(100_000), user_agent: "a".repeat(100_000) });
  const query = parseQuery(Array.from({ length: 35 }, () => 'description:"aaaaaab"').join(" OR "));
  const startedAt = performance.now();
  for (let i = 0; i < 20; i++) expect(matches(query, long)).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});

it("knows every field of an entry that has one value", () => {
  const named = [
    "log_id",
    "date",
    "type",
    "description",
    "client_id",
    "connection",
    "ip",
    "user_agent",
    "user_id",
    "hostname",
    "tenant_name",
  ];
  expect([...fields.keys()]).toEqual(expect.arrayContaining(named));
});
