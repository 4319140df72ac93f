import * as fc from "fast-check";
import { expect, it } from "vitest";
import { withoutReserved } from "../../src/gate/reserved-query.ts";
import { addStampQuery, type StampValues } from "../../src/gate/stamp.ts";

type Names = Parameters<typeof addStampQuery>[1];
/** As the gate does it: what the client sent under these names is removed first. */
const stampQuery = (search: string, names: Names, values: StampValues) =>
  addStampQuery(
    withoutReserved(
      search,
      Object.values(names).flatMap((name) => name ?? []),
    ),
    names,
    values,
  );

const names = { experiment_id: "ext-experiment", variation_id: "ext-variation" };
const values = { experiment_id: "exp_1", variation_id: "var_2,var_3" };

it.each([
  ["?a=1", "?a=1&ext-experiment=exp_1&ext-variation=var_2%2Cvar_3"],
  ["", "?ext-experiment=exp_1&ext-variation=var_2%2Cvar_3"],
  ["?ext-variation=forged&a=%zz&a=&", "?a=%zz&a=&&ext-experiment=exp_1&ext-variation=var_2%2Cvar_3"],
  ["?%65xt-variation=forged", "?ext-experiment=exp_1&ext-variation=var_2%2Cvar_3"],
])("of %s makes %s", (search, expected) => {
  expect(stampQuery(search, names, values)).toBe(expected);
});

it("takes forged values off where nothing is stamped", () => {
  expect(stampQuery("?ext-experiment=forged&a=1", names, {})).toBe("?a=1");
  expect(stampQuery("?ext-experiment=forged", names, {})).toBe("");
});

it("leaves every byte of a query in which nothing is ours", () => {
  return fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const search = text === "" ? "" : `?${text}`;
      expect(stampQuery(search, {}, values)).toBe(search);
      fc.pre(!text.includes("ext") && !text.includes("%"));
      expect(stampQuery(search, names, {})).toBe(search);
    }),
  );
});
