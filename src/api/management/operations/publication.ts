import type { publicationCommands } from "../../../control/commands/publication.ts";
import type { OperationsOf } from "../operation.ts";

export const publicationOperations: OperationsOf<typeof publicationCommands> = {
  get_snapshot: { method: "GET", path: "/snapshot", scope: "read:experimentation", success: 200 },
};
