import type { subjectCommands } from "../../../control/commands/subjects.ts";
import type { OperationsOf } from "../operation.ts";
import { forgetSubject, subjectQuerySchema } from "../subject.ts";

export const subjectOperations: OperationsOf<typeof subjectCommands> = {
  delete_subject: {
    method: "DELETE",
    path: "/subjects",
    scope: "delete:experimentation",
    query: subjectQuerySchema,
    step: forgetSubject,
    success: 200,
  },
};
