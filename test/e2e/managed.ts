/** Tenants set up through the management API of a Worker on this machine. */
import { createManagement, type ImportOptions, type Management, untilPublished } from "../../scripts/management.ts";
import type { ConfigurationFile } from "../../src/model/transfer/configuration-schema.ts";

const token = "a-root-token-for-tests";

/** For the Worker's variables. The port is not known yet: without one, any is meant. */
export const adminVars = { ADMIN_HOSTS: "localhost", ADMIN_TOKEN: token };

export function manage({ url }: { url: string }, tenant = "default"): Management {
  return createManagement({ url, token, tenant });
}

/** Imports `file` and waits until KV has it. */
export async function publish(management: Management, file: ConfigurationFile, options?: ImportOptions): Promise<void> {
  await management.import(file, options);
  await untilPublished(management);
}
