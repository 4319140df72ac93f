import type { CommandContext } from "../command.ts";

export const callerCommands = {
  /** So that nobody has to find out by being refused. */
  get_caller({ actor, tenant }: CommandContext) {
    return { actor: actor.name, scopes: actor.scopes, tenant: tenant.id };
  },
};
