import * as v from "valibot";
import type { transferCommands } from "../../../control/commands/transfer.ts";
import type { OperationsOf } from "../operation.ts";

const flag = v.pipe(
  v.picklist(["true", "false"], "must be true or false"),
  v.transform((text) => text === "true"),
);

export const transferOperations: OperationsOf<typeof transferCommands> = {
  export_configuration: { method: "GET", path: "/export", scope: "read:experimentation", success: 200 },
  import_configuration: {
    method: "POST",
    path: "/import",
    scope: "create:experimentation",
    query: v.strictObject({
      dry_run: v.exactOptional(flag),
      prune: v.exactOptional(flag),
      format: v.exactOptional(v.picklist(["amplitude"], "must be amplitude, or left out")),
    }),
    // The document is read by the command, whose problems say where in it they are.
    body: v.unknown(),
    maxBodyBytes: 8 * 1024 * 1024,
    success: 200,
  },
};
