import * as v from "valibot";
import type { logStreamCommands } from "../../../control/commands/log-streams.ts";
import { logStreamCreateSchema, logStreamPatchSchema } from "../../../model/log-stream.ts";
import { pageQuery } from "../../../model/page.ts";
import { withDelivery } from "../log-stream-status.ts";
import type { OperationsOf } from "../operation.ts";

export const logStreamOperations: OperationsOf<typeof logStreamCommands> = {
  get_log_streams: {
    method: "GET",
    path: "/log-streams",
    scope: "read:experimentation",
    query: v.strictObject(pageQuery),
    step: withDelivery,
    success: 200,
  },
  create_log_stream: {
    method: "POST",
    path: "/log-streams",
    scope: "create:experimentation",
    body: logStreamCreateSchema,
    step: withDelivery,
    success: 201,
  },
  get_log_stream: {
    method: "GET",
    path: "/log-streams/:id",
    scope: "read:experimentation",
    step: withDelivery,
    success: 200,
  },
  update_log_stream: {
    method: "PATCH",
    path: "/log-streams/:id",
    scope: "update:experimentation",
    body: logStreamPatchSchema,
    step: withDelivery,
    success: 200,
  },
  delete_log_stream: { method: "DELETE", path: "/log-streams/:id", scope: "delete:experimentation", success: 204 },
};
