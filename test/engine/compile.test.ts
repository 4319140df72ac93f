import { EvaluationEngine } from "@amplitude/experiment-core";
import { expect, test } from "vitest";
import { compileFlags } from "../../src/engine/compile.ts";
import type { Condition, Flag } from "../../src/engine/flag.ts";
import type { FlagTrace } from "../../src/engine/trace.ts";

const createFlag = (key: string, more: Partial<Flag> = {}): Flag => ({
  key,
  variants: { on: { key: "on" }, off: { key: "off" } },
  segments: [{ variant: "on" }],
  ...more,
});
const when = (condition: Condition, variant = "on") => ({ conditions: [[condition]], variant });
const malformed = (value: unknown): Flag => value as Flag;

test.each<[string, Partial<Record<keyof Flag, unknown>>, RegExp]>([
  ["no variants", { variants: undefined }, /no variants/],
  ["a variant that is no object", { variants: { on: "on" } }, /variant "on"/],
  ["no segments", { segments: {} }, /no segments/],
  ["a segment that is null", { segments: [null] }, /segment/],
  ["conditions of one level", { segments: [{ conditions: [{}] }] }, /list of lists/],
  ["values that are no strings", { segments: [when({ selector: [], op: "is", values: [1] as never })] }, /values/],
  ["a condition without a selector", { segments: [when({ op: "is", values: [] } as never)] }, /selector/],
  ["a bucket without a salt", { segments: [{ bucket: { selector: [], allocations: [] } }] }, /salt/],
  ["an allocation without a range", { segments: [{ bucket: { selector: [], salt: "", allocations: [{}] } }] }, /range/],
  ["dependencies that are no list", { dependencies: "a" }, /dependencies/],
  ["metadata that is no object", { metadata: "a" }, /metadata/],
])("a flag with %s fails alone, with its reason", (_, wrong, reason) => {
  const { faults, evaluate } = compileFlags([createFlag("good"), malformed({ ...createFlag("bad"), ...wrong })]);
  expect([...faults.keys()]).toEqual(["bad"]);
  expect(faults.get("bad")).toMatch(reason);
  expect(Object.keys(evaluate({}))).toEqual(["good"]);
});

test.each([null, undefined, "flag", 1, {}, { key: 1 }, []])("%j among the flags is named by its position", (flag) => {
  const { faults, evaluate } = compileFlags([createFlag("good"), malformed(flag)]);
  expect([...faults]).toEqual([["#1", "the flag has no key"]]);
  expect(Object.keys(evaluate({}))).toEqual(["good"]);
});

test("groups that fill words of bits, to the last and beyond, and that ask a property twice, match as core has it", () => {
  const selector = ["context", "user", "user_properties", "p"];
  const versions = ["context", "user", "version"];
  const flags = [1, 29, 30, 31, 64, 2, 30, 0, 28, 61].map((size, flag) => {
    const conditions = Array.from({ length: size }, (_, group): Condition[] => [
      { selector, op: "is", values: [`v${group}`, `w${group % 7}`, "both"] },
      { selector, op: flag % 2 === 0 ? "is not" : "set does not contain any", values: [`w${flag % 7}`] },
      { selector: versions, op: "version greater", values: [`${group % 5}.0.0`] },
    ]);
    const segments = conditions.map((group, at) => ({ conditions: [group], variant: `s${at}` }));
    const variants = Object.fromEntries([...segments.keys()].map((at) => [`s${at}`, { key: `s${at}` }]));
    // By turns one segment of many groups, and many of one; and with a last segment for all, and without.
    const last = flag % 4 === 3 ? [] : [{ variant: "off" }];
    return createFlag(`flag-${flag}`, {
      variants: { ...variants, on: { key: "on" }, off: { key: "off" } },
      segments: [...(flag % 3 === 0 ? segments : [{ conditions, variant: "on" }]), ...last],
    });
  });
  const { evaluate } = compileFlags(flags);
  const core = new EvaluationEngine();
  const values = [
    "both",
    "neither",
    undefined,
    ["both"],
    ["v3", "w2"],
    [],
    ...Array.from({ length: 66 }, (_, at) => `v${at}`),
  ];
  for (const [turn, p] of [...values, ...Array.from({ length: 7 }, (_, at) => `w${at}`)].entries()) {
    const context = { user: { version: `${turn % 6}.1.0`, user_properties: { p } } };
    const wanted = core.evaluate(context, flags as unknown as Parameters<typeof core.evaluate>[1]);
    expect(evaluate(context)).toEqual(wanted);
    expect(evaluate(context, undefined, [])).toEqual(wanted);
    expect(evaluate(context, ["flag-8"])).toEqual({ "flag-8": wanted["flag-8"] });
  }
});

test("a key that several flags use is a fault of all of them", () => {
  const { faults, evaluate } = compileFlags([createFlag("a"), createFlag("b"), createFlag("a"), createFlag("a")]);
  expect([...faults.keys()]).toEqual(["a"]);
  expect(Object.keys(evaluate({}))).toEqual(["b"]);
});

test("what depends on a broken flag sees it as absent", () => {
  const guard = when({ selector: ["result", "broken", "key"], op: "is not", values: ["on"] }, "off");
  const broken = createFlag("broken", {
    segments: [when({ selector: ["context"], op: "regex match", values: ["("] })],
  });
  const { faults, evaluate } = compileFlags([
    broken,
    createFlag("child", { dependencies: ["broken"], segments: [guard, { variant: "on" }] }),
  ]);
  expect(faults.get("broken")).toMatch(/Invalid regular expression/);
  expect(evaluate({})).toEqual({ child: { key: "off", metadata: {} } });
});

test("names of Object.prototype are plain names everywhere", () => {
  const names = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  const flags = names.map((name) => ({
    key: name,
    variants: JSON.parse(`{"${name}": {"key": "${name}", "metadata": {"__proto__": 1}}}`),
    segments: [{ variant: "valueOf" }, when({ selector: ["context", "user", name], op: "is", values: ["x"] }, name)],
  }));
  const { evaluate, faults } = compileFlags(flags);
  expect(faults.size).toBe(0);
  expect(Object.keys(evaluate({ user: {} }))).toEqual([]);
  const user = JSON.parse(`{${names.map((name) => `"${name}": "x"`).join()}}`);
  for (const results of [evaluate({ user }), evaluate({ user }, names), evaluate({ user })]) {
    expect(Object.keys(results)).toEqual(names);
    expect(Object.getPrototypeOf(results)).toBe(Object.prototype);
    for (const name of names) expect(Object.getOwnPropertyDescriptor(results, name)?.value.key).toBe(name);
  }
});

test("variants are frozen, the record is the caller's", () => {
  const payload = { a: 1 };
  const flag = createFlag("a", { variants: { on: { key: "on", payload } }, metadata: { m: 1 } });
  const { evaluate } = compileFlags([flag]);
  const results = evaluate({});
  expect(Object.isFrozen(results.a)).toBe(true);
  expect(Object.isFrozen(results.a?.metadata)).toBe(true);
  expect(results.a?.payload).toBe(payload);
  expect(Object.isFrozen(payload)).toBe(false);
  delete results.a;
  results.b = { key: "b" };
  expect(evaluate({})).toEqual({ a: { key: "on", payload: { a: 1 }, metadata: { m: 1 } } });
});

test("results are of the present context only, however they alternate", () => {
  const { evaluate } = compileFlags([
    createFlag("us", { segments: [when({ selector: ["context", "user", "country"], op: "is", values: ["US"] })] }),
    createFlag("all", {
      segments: [
        when({ selector: ["context", "user", "country"], op: "is", values: ["US"] }, "off"),
        { variant: "on" },
      ],
    }),
  ]);
  const us = { us: { key: "on", metadata: {} }, all: { key: "off", metadata: {} } };
  const others = { all: { key: "on", metadata: {} } };
  for (let i = 0; i < 3; i++) {
    expect(evaluate({ user: { country: "US" } })).toEqual(us);
    expect(evaluate({ user: {} })).toEqual(others);
    expect(evaluate({ user: { country: "US" } }, ["us"])).toEqual({ us: us.us });
    expect(evaluate({ user: { country: "DE" } }, ["us"])).toEqual({});
  }
});

test("a flag does not see the results of flags that were not asked for", () => {
  const sees = when({ selector: ["result", "other", "key"], op: "is", values: ["on"] }, "on");
  const { evaluate } = compileFlags([createFlag("other"), createFlag("a", { segments: [sees, { variant: "off" }] })]);
  expect(evaluate({}).a?.key).toBe("on");
  expect(evaluate({}, ["a"]).a?.key).toBe("off");
  expect(evaluate({}, ["a", "other"]).a?.key).toBe("off");
  expect(evaluate({}, ["other", "a"]).a?.key).toBe("on");
});

test("many flags, more than one template holds, come out whole", () => {
  const flags = Array.from({ length: 500 }, (_, number) => createFlag(`flag-${number}`));
  const results = compileFlags(flags).evaluate({});
  expect(Object.keys(results)).toEqual(flags.map(({ key }) => key));
});

test("an evaluation may start another from within", () => {
  const flags = [0, 1, 2].map((number) =>
    createFlag(`flag-${number}`, {
      segments: [when({ selector: ["context", "user", `p${number}`], op: "is", values: ["x"] }), { variant: "off" }],
    }),
  );
  const { evaluate } = compileFlags(flags);
  const inner: string[] = [];
  const context = {
    user: {
      p0: "x",
      get p1(): string {
        inner.push(...Object.values(evaluate({ user: { p1: "x" } })).map(({ key }) => key));
        return "y";
      },
      p2: "x",
    },
  };
  expect(Object.values(evaluate(context)).map(({ key }) => key)).toEqual(["on", "off", "on"]);
  expect(inner).toEqual(["off", "on", "off"]);
});

test("a sink that throws does not spoil later evaluations", () => {
  const { evaluate } = compileFlags([createFlag("a"), createFlag("b")]);
  const push = () => {
    throw new Error("full");
  };
  expect(() => evaluate({}, undefined, { push })).toThrow("full");
  expect(Object.keys(evaluate({}))).toEqual(["a", "b"]);
});

test("flags with a fault are traced with the reason, when they were asked for", () => {
  const { evaluate } = compileFlags([createFlag("a"), createFlag("loop", { dependencies: ["loop"] })]);
  const ask = (keys?: string[]): FlagTrace[] => {
    const traces: FlagTrace[] = [];
    evaluate({}, keys, traces);
    return traces;
  };
  expect(ask().map(({ flag, fault }) => [flag, fault])).toEqual([
    ["a", undefined],
    ["loop", "the flag depends on itself, directly or through others"],
  ]);
  expect(ask(["a"])).toHaveLength(1);
  expect(ask(["loop"])).toHaveLength(1);
});

test("an inclusion list of 100,000 ids holds exactly those", () => {
  const ids = Array.from({ length: 100_000 }, (_, number) => `user-${number}`);
  const condition = { selector: ["context", "user", "user_id"], op: "is", values: ids };
  const { evaluate } = compileFlags([createFlag("a", { segments: [when(condition), { variant: "off" }] })]);
  for (const user_id of ["user-0", "user-99999"]) expect(evaluate({ user: { user_id } }).a?.key).toBe("on");
  for (const user_id of ["user-100000", "user"]) expect(evaluate({ user: { user_id } }).a?.key).toBe("off");
});

test("more conditions on a property than a word has bits are told apart", () => {
  const flags = Array.from({ length: 200 }, (_, number) =>
    createFlag(`flag-${number}`, {
      segments: [
        when({ selector: ["context", "user", "country"], op: "is", values: [`c${number}`, `d${number % 7}`] }),
        when({ selector: ["context", "user", "country"], op: "is not", values: ["x"] }, "off"),
      ],
    }),
  );
  const { evaluate } = compileFlags(flags);
  for (let number = 0; number < 200; number++) {
    const on = Object.values(evaluate({ user: { country: `c${number}` } })).map(({ key }) => key === "on");
    expect(on.indexOf(true)).toBe(number);
    expect(on.lastIndexOf(true)).toBe(number);
  }
  const shared = Object.values(evaluate({ user: { country: "d3" } })).filter(({ key }) => key === "on");
  expect(shared).toHaveLength(29);
});

const inheritors = [
  ["an object that inherits from another", (fields: object) => Object.create(fields)],
  ["an instance of a class", (fields: object) => Object.create(Object.create(fields))],
  ["an object whose __proto__ is its own", (fields: object) => Object.assign(JSON.parse('{"__proto__": {}}'), fields)],
  ["an object without a prototype", (fields: object) => Object.assign(Object.create(null), fields)],
] as const;

test.each(inheritors)("own properties alone are seen in %s", (_, create) => {
  const names = ["country", "role"];
  const { evaluate } = compileFlags(
    names.map((name) =>
      createFlag(name, { segments: [when({ selector: ["context", "user", name], op: "is", values: ["x"] })] }),
    ),
  );
  const user = create({ country: "x", role: "x" });
  const own = names.filter((name) => Object.hasOwn(user, name));
  expect(Object.keys(evaluate({ user }))).toEqual(own);
  expect(Object.keys(evaluate(Object.assign(Object.create({ user: { country: "x", role: "x" } }), {})))).toEqual([]);
});

test("what somebody puts on Object.prototype is nobody's property", () => {
  const flag = createFlag("a", {
    segments: [when({ selector: ["context", "user", "country"], op: "is", values: ["x"] }), { variant: "off" }],
  });
  const { evaluate } = compileFlags([flag]);
  Object.defineProperty(Object.prototype, "country", { value: "x", configurable: true });
  try {
    expect(evaluate({ user: {} }).a?.key).toBe("off");
    expect(evaluate({ user: JSON.parse('{"country": "x"}') }).a?.key).toBe("on");
  } finally {
    Reflect.deleteProperty(Object.prototype, "country");
  }
});

test("few flags that are left of many, for the others are broken, are evaluated", () => {
  const selector = ["context", "user", "country"];
  const flags = Array.from({ length: 8 }, (_, number) =>
    createFlag(`flag-${number}`, {
      segments: [when({ selector, op: number === 0 ? "is" : "regex match", values: [number === 0 ? "x" : "("] })],
    }),
  );
  const { evaluate } = compileFlags(flags);
  expect(evaluate({ user: { country: "x" } })["flag-0"]?.key).toBe("on");
  expect(evaluate({ user: { country: "y" } })).toEqual({});
});
