import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { slug } from "../../src/model/fields.ts";
import { derivedId, experimentId, featureFlagId, newId } from "../../src/model/ids.ts";

describe("ids", () => {
  it.each([
    ["flg_LoginPage", true],
    ["flg_Login0", false],
    ["flg_Il", false],
    ["flg_", false],
    ["exp_LoginPage", false],
  ])("%s is one of a feature flag: %s", (id, expected) => {
    expect(v.is(featureFlagId, id)).toBe(expected);
  });

  it("are derived from a key, always alike, of any script", () => {
    const ids = ["login_page", "login-page", "登录页", "登陆页", ""].map((key) => derivedId("exp", key));
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(v.is(experimentId, id)).toBe(true);
    // Fixed: a configuration without ids would be shuffled anew if this changed.
    expect(ids[0]).toMatchInlineSnapshot(`"exp_UN8AWdLgKZTqPCPUnf5Ljd"`);
  });

  it("are made of random bytes", () => {
    expect(newId("exp", new Uint8Array([1, 2, 3]))).toBe("exp_Ldp");
    expect(v.is(experimentId, newId("exp", new Uint8Array(16)))).toBe(true);
  });
});

describe("slug", () => {
  it.each([
    ["Login page", "login_page"],
    ["  Très — chic! ", "tres_chic"],
    ["Sign-up (v2)", "sign_up_v2"],
    ["登录页", ""],
  ])("of %s is %s", (name, expected) => {
    expect(slug(name)).toBe(expected);
  });
});
