import * as v from "valibot";
import type { segmentCommands } from "../../../control/commands/segments.ts";
import { pageQuery } from "../../../model/page.ts";
import { segmentCreateSchema, segmentPatchSchema, segmentSchema } from "../../../model/segment.ts";
import type { OperationsOf } from "../operation.ts";

export const segmentOperations: OperationsOf<typeof segmentCommands> = {
  get_segments: {
    method: "GET",
    path: "/segments",
    scope: "read:experimentation",
    query: v.strictObject({ ...pageQuery, type: v.exactOptional(segmentSchema.entries.type) }),
    success: 200,
  },
  create_segment: {
    method: "POST",
    path: "/segments",
    scope: "create:experimentation",
    body: segmentCreateSchema,
    success: 201,
  },
  get_segment: { method: "GET", path: "/segments/:id", scope: "read:experimentation", success: 200 },
  update_segment: {
    method: "PATCH",
    path: "/segments/:id",
    scope: "update:experimentation",
    body: segmentPatchSchema,
    success: 200,
  },
  delete_segment: { method: "DELETE", path: "/segments/:id", scope: "delete:experimentation", success: 204 },
};
