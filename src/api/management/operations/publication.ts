import * as v from "valibot";
import type { publicationCommands } from "../../../control/commands/publication.ts";
import type { OperationsOf } from "../operation.ts";

const flag = v.pipe(
  v.picklist(["true", "false"], "must be true or false"),
  v.transform((text) => text === "true"),
);

export const publicationOperations: OperationsOf<typeof publicationCommands> = {
  get_snapshot: {
    method: "GET",
    path: "/snapshot",
    scope: "read:experimentation",
    query: v.strictObject({ include_snapshot: v.exactOptional(flag) }),
    success: 200,
  },
};
