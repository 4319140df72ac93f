import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createTally,
  longestIdBytes,
  readMembers,
  type SourceForm,
  type Tally,
} from "../../../src/cohorts/source/members.ts";
import { SourceError } from "../../../src/cohorts/source/source-error.ts";
import type { CohortFormat } from "../../../src/model/cohort.ts";

const encoder = new TextEncoder();

async function* chunked(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(
  content: string | Uint8Array,
  form: SourceForm,
  { tally = createTally(), sizes = [] as readonly number[], limits = { bytes: 1e9, members: 1e9 } } = {},
): Promise<string[]> {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const ids: string[] = [];
  for await (const batch of readMembers(chunked(bytes, sizes), form, tally, limits)) ids.push(...batch);
  return ids;
}

async function faultOf(content: string | Uint8Array, form: SourceForm, options = {}): Promise<SourceError> {
  const error = await read(content, form, options).then(
    (ids) => `no error, but ${ids.length} ids`,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

const quoted = (field: string) => `"${field.replaceAll('"', '""')}"`;
const needsQuotes = /[",\r\n]/;

const writers: Record<CohortFormat, (ids: readonly string[]) => string> = {
  json: (ids) => JSON.stringify(ids, null, ids.length % 3),
  amplitude: (ids) =>
    JSON.stringify({
      cohortId: "a]b[\\",
      groupType: "User",
      lastModified: 1_700_000_000_000,
      size: ids.length,
      memberIds: ids,
    }),
  ndjson: (ids) => ids.map((id) => `${JSON.stringify(id)}\n`).join("") || "\n",
  csv: (ids) => `id\r\n${ids.map((id) => `${needsQuotes.test(id) ? quoted(id) : id}\r\n`).join("")}`,
};
const formats = Object.keys(writers) as CohortFormat[];

const special = fc.constantFrom(
  '"',
  '""',
  "\\",
  "\\\\",
  ",",
  "[",
  "]",
  "{",
  "}",
  "\n",
  "\r",
  "\r\n",
  "😀",
  "é",
  "\u0000",
);
const anyId = fc
  .oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
    fc.array(special, { minLength: 1, maxLength: 6 }).map((parts) => parts.join("")),
    fc.string({ minLength: 1, maxLength: 12 }),
    fc.constant("x".repeat(longestIdBytes)),
  )
  // Of the text, a byte order mark at its beginning is no part.
  .filter((id) => id.isWellFormed() && !id.startsWith("\uFEFF"));

describe.each(formats)("%s", (format) => {
  it("gives back every id, in its order and as often as it is there, however the bytes are cut", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 5 });
    return fc.assert(
      fc.asyncProperty(fc.array(anyId, { maxLength: 40 }), sizes, async (ids, sizes) => {
        const tally = createTally();
        expect(await read(writers[format](ids), { format }, { tally, sizes })).toEqual(ids);
        expect(tally).toMatchObject({ read: ids.length, skipped: 0 });
      }),
    );
  });

  it("crosses every border between pieces", async () => {
    const ids = Array.from({ length: 30_000 }, (_, number) => `${"é😀".repeat(number % 7)}"${number}`);
    const tally = createTally();
    expect(await read(writers[format](ids), { format }, { tally, sizes: [4_096] })).toEqual(ids);
    expect(tally.bytes).toBe(encoder.encode(writers[format](ids)).length);
  });

  it("takes an empty list, and no empty answer", async () => {
    expect(await read(writers[format]([]), { format })).toEqual([]);
    expect(await faultOf("", { format })).toMatchObject({ code: "empty" });
  });

  it("leaves a byte order mark out", async () => {
    expect(await read(`\uFEFF${writers[format](["ä", "b"])}`, { format })).toEqual(["ä", "b"]);
  });

  it("takes ids of 1,024 bytes, and counts longer ones and empty ones as skipped", async () => {
    const long = "é".repeat(longestIdBytes / 2);
    const tally = createTally();
    const given = [long, `${long}e`, "", "e".repeat(longestIdBytes + 1), "f"];
    const text = format === "csv" ? `id\n${given.map(quoted).join("\n")}` : writers[format](given);
    expect(await read(text, { format }, { tally })).toEqual([long, "f"]);
    expect(tally).toMatchObject({ read: 5, skipped: 3 });
  });

  it("refuses a page instead of data", async () => {
    const page = "<!DOCTYPE html>\n<html>\n<body>Sign in</body>\n</html>\n";
    const form = { format, url: "https://user:secret@data.example.com/c?signature=secret" };
    for (const text of [page, page.repeat(5_000)]) {
      const { code, message } = await faultOf(text, form);
      expect(code).toBe("syntax");
      expect(message).toMatch(/^https:\/\/data\.example\.com\/c: .*<!DOCTYPE html/);
    }
    for (const text of ["OK", "Service unavailable", '{"error": "too many requests"}', "null"]) {
      expect(await faultOf(text, { format })).toMatchObject({ code: "syntax" });
    }
  });

  it("refuses what is not UTF-8, and says where", async () => {
    const good = encoder.encode(writers[format](Array.from({ length: 20_000 }, (_, number) => `member ${number}`)));
    good[good.length - 10] = 0xff;
    const { code, message } = await faultOf(good, { format });
    expect(code).toBe("syntax");
    expect(message).toMatch(/^is not UTF-8, at one of the bytes \d+ to \d+$/);
    const [from = 0, to = 0] = (message.match(/\d{2,}/g) ?? []).map(Number);
    expect(from).toBeLessThanOrEqual(good.length - 10);
    expect(to).toBeGreaterThan(good.length - 10);
    expect(
      await faultOf(
        encoder.encode(writers[format](["é"])).filter((byte) => byte !== 0xa9),
        { format },
      ),
    ).toMatchObject({ code: "syntax" });
  });

  it("ends at more members than the limit", async () => {
    const ids = Array.from({ length: 11 }, (_, number) => `m${number}`);
    expect(
      await read(writers[format](ids.slice(0, 10)), { format }, { limits: { bytes: 1e9, members: 10 } }),
    ).toHaveLength(10);
    const fault = await faultOf(writers[format](ids), { format }, { limits: { bytes: 1e9, members: 10 } });
    expect(fault).toMatchObject({ code: "too_many_members", message: "more than 10 members" });
  });

  it("ends at more bytes than the limit, and cancels the stream", async () => {
    let isCancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encoder.encode(" ".repeat(1_000))),
      cancel() {
        isCancelled = true;
      },
    });
    const reading = readMembers(stream, { format }, createTally(), { bytes: 100_000, members: 10 });
    const ended = (async () => {
      for await (const ids of reading) expect(ids).toEqual([]);
    })();
    await expect(ended).rejects.toMatchObject({ code: "too_large" });
    expect(isCancelled).toBe(true);
  });

  it("passes on what the stream throws", async () => {
    async function* broken() {
      yield encoder.encode(writers[format](["a"]).slice(0, 3));
      throw new SourceError("stalled", "no byte");
    }
    const batches = readMembers(broken(), { format, url: "https://data.example.com/" }, createTally());
    await expect(batches.next()).rejects.toMatchObject({ code: "stalled", message: "no byte" });
  });
});

it.each(["json", "amplitude"] as const)(
  "%s that ends anywhere before its end is an error, never a shorter list",
  (format) =>
    fc.assert(
      fc.asyncProperty(fc.array(anyId, { maxLength: 10 }), fc.nat(), async (ids, cut) => {
        const text = encoder.encode(writers[format](ids));
        const fault = await faultOf(text.subarray(0, cut % text.length), { format });
        expect(["syntax", "empty"]).toContain(fault.code);
      }),
    ),
);

it("ndjson that ends within a line is an error", () =>
  fc.assert(
    fc.asyncProperty(fc.array(anyId, { minLength: 1, maxLength: 10 }), async (ids) => {
      const { message } = await faultOf(writers.ndjson(ids).slice(0, -2), { format: "ndjson" });
      expect(message).toContain(`line ${ids.length}: `);
    }),
  ));

describe("entries that are more than an id", () => {
  it.each([
    ["json", '[{"user": "a", "x": [1, {"user": "no"}]}, {"user": "b"}, "c"]'],
    ["ndjson", '{"user": "a", "x": "\\n"}\r\n\r\n{"user": "b"}\r\n"c"'],
    ["csv", 'x, user ,y\r\n1,a,"z,\n"\n\n2,b\r3,"c",4'],
    ["amplitude", '{"lastModified": 5, "memberIds": [{"user": "a"}, {"user": "b"}, "c"], "cohortId": "x"}'],
  ] as const)("%s by the field's name", async (format, text) => {
    expect(await read(text, { format, field: "user" })).toEqual(["a", "b", "c"]);
  });

  it("counts those without it as skipped, and is an error where none has it", async () => {
    const text =
      '[{"user": "a"}, {"id": "b"}, null, true, [], "", 1.5, 9007199254740993, 7, "\\ud800", {"__proto__": "c"}]';
    const tally = createTally();
    expect(await read(text, { format: "json", field: "user" }, { tally })).toEqual(["a", "7"]);
    expect(tally).toMatchObject({ read: 11, skipped: 9 });
    const { message } = await faultOf('[{"user": "a"}, null]', { format: "json" });
    expect(message).toBe('none of 2 entries holds an id; is it the field "id"?');
    expect(await faultOf('[{"user": "a"}]', { format: "json", field: "__proto__" })).toMatchObject({ code: "syntax" });
  });
});

describe("where it went wrong", () => {
  it.each<[SourceForm, string, string]>([
    [{ format: "json" }, '["a", "b", c]', 'element 3: is not JSON: "c…"'],
    [{ format: "json" }, '["a",, "b"]', "element 2: is missing"],
    [{ format: "json" }, '["a", "b",]', "element 3: is missing"],
    [{ format: "json" }, "[,]", "element 1: is missing"],
    [{ format: "json" }, '["a" "b"]', 'element 1: is not JSON: "\\"…"'],
    [{ format: "json" }, '["a"}', 'character 4 of the array: must be "," or "]", not "}"'],
    [{ format: "json" }, '["a", [1}]', 'element 2: is not JSON: "[…"'],
    [{ format: "json" }, '["a", "b', "character 8 of the array: ends in the middle of the array"],
    [{ format: "json" }, '["a"] ["b"]', "must end after the array"],
    [{ format: "json" }, '{"members": ["a"]}', "must be a JSON array; is an object"],
    [{ format: "json" }, " \n ", "must be a JSON array; is blank"],
    [
      { format: "json" },
      `["${"a".repeat(200_000)}`,
      "character 1 of the array: an element of more than 65536 characters",
    ],
    [{ format: "ndjson" }, '"a"\n"b"\n"c\n"d"', 'line 3: is not JSON: "\\"…"'],
    [{ format: "ndjson" }, "alice@example.com\n", 'line 1: is not JSON: "a…"'],
    [{ format: "ndjson" }, `"a"\n"${"b".repeat(200_000)}"`, "line 2: more than 65536 characters"],
    [{ format: "csv" }, 'id\na\n"b\nc"d\n', 'line 3: "d" after a closing quote'],
    [{ format: "csv" }, 'id\n"a\nb"\nc"d"\n', "line 4: a quote within a field that has none around it"],
    [{ format: "csv" }, 'id\na\n"b\nc', "line 3: ends within quotes"],
    [{ format: "csv" }, `id\na\n"${"b,".repeat(100_000)}`, "line 3: a row of more than 65536 characters"],
    [{ format: "csv" }, "user,name\na,b\n", 'line 1: no column "id", only user, name'],
    [{ format: "csv", field: "mail" }, "user\na\n", 'line 1: no column "mail", only user'],
    [{ format: "csv" }, "id;name\na;b\n", 'line 1: no column "id", only id;name'],
    [{ format: "csv" }, "user\n", 'line 1: no column "id", and no rows'],
    [{ format: "csv" }, "\n\n", 'line 1: no column "id", and no rows'],
    [{ format: "amplitude" }, '{"error": "no such cohort"}', 'no array "memberIds"'],
    [{ format: "amplitude" }, '{"size": 1, "memberIds": null}', 'no array "memberIds"'],
    [{ format: "amplitude" }, '{"x": {"memberIds": ["a"]}}', 'no array "memberIds"'],
    [{ format: "amplitude" }, '{"memberIds": ["a"]', 'what stands around "memberIds" is not a JSON object'],
    [{ format: "amplitude" }, '{oops "memberIds": ["a"]}', 'what stands around "memberIds" is not a JSON object'],
    [{ format: "amplitude" }, '{"memberIds": ["a", b]}', 'element 2: is not JSON: "b…"'],
    [{ format: "amplitude" }, '["memberIds", ["a"]]', 'must be an object with "memberIds"; is not JSON: "[…"'],
    [{ format: "amplitude" }, '{"groupType": "org", "memberIds": ["a"]}', 'groupType must be "User", not "org"'],
    [{ format: "amplitude" }, `{"x": "${"a".repeat(200_000)}`, "no array at the beginning"],
  ])("%j", async (form, text, message) => {
    expect(await faultOf(text, form)).toMatchObject({ code: "syntax", message });
  });
});

it("takes a CSV of one column whatever its name, unless one is asked for", async () => {
  expect(await read("user id\na\n", { format: "csv" })).toEqual(["a"]);
  expect(await read('"id"', { format: "csv" })).toEqual([]);
});

it("learns what Amplitude says of the list, wherever that stands, and takes null for an empty one", async () => {
  const learn = async (text: string): Promise<Tally> => {
    const tally = createTally();
    await read(text, { format: "amplitude" }, { tally });
    return tally;
  };
  expect(await learn('{"lastModified": 5, "memberIds": ["a"]}')).toMatchObject({ amplitudeLastModified: 5, read: 1 });
  expect(await learn('{"memberIds": [], "lastModified": 6}')).toMatchObject({ amplitudeLastModified: 6, read: 0 });
  expect(await learn('{"memberIds": null, "size": 0, "lastModified": 7}')).toMatchObject({ amplitudeLastModified: 7 });
  expect(await learn('{"memberIds": ["a"], "lastModified": "soon"}')).not.toHaveProperty("amplitudeLastModified");
});
