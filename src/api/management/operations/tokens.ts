import * as v from "valibot";
import type { tokenCommands } from "../../../control/commands/tokens.ts";
import { pageQuery } from "../../../model/page.ts";
import { tokenCreateSchema } from "../../../model/token.ts";
import type { OperationsOf } from "../operation.ts";

export const tokenOperations: OperationsOf<typeof tokenCommands> = {
  get_tokens: {
    method: "GET",
    path: "/tokens",
    scope: "read:experimentation",
    query: v.strictObject(pageQuery),
    success: 200,
  },
  create_token: {
    method: "POST",
    path: "/tokens",
    scope: "create:experimentation",
    body: tokenCreateSchema,
    success: 201,
  },
  get_token: { method: "GET", path: "/tokens/:id", scope: "read:experimentation", success: 200 },
  delete_token: { method: "DELETE", path: "/tokens/:id", scope: "delete:experimentation", success: 204 },
};
