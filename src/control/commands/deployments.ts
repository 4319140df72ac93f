import { createHash, randomBytes } from "node:crypto";
import {
  type Deployment,
  type DeploymentCreate,
  type DeploymentPatch,
  gateDeployment,
} from "../../model/deployment.ts";
import { type PageQuery, pageOf } from "../../model/page.ts";
import { Problem } from "../../model/problem.ts";
import { shown } from "../../model/shown.ts";
import { type CommandContext, type Input, merged } from "../command.ts";
import type { Draft } from "../tables.ts";

type Id = Input<"id", unknown>;

/** 32 letters, digits, `-` and `_` as base64url. */
const keyBytes = 24;

export const deploymentCommands = {
  get_deployments({ draft }: CommandContext, { query }: Input<never, PageQuery & { type?: Deployment["type"] }>) {
    const rows = draft.rows("deployment").filter(({ item }) => query.type === undefined || item.type === query.type);
    const { items, ...page } = pageOf(rows, query);
    return { deployments: items.map(present), ...page };
  },

  create_deployment({ draft, at, newId }: CommandContext, { body }: Input<never, unknown, DeploymentCreate>) {
    return withNewKey(draft, { id: newId("dep"), ...body, key_hash: "", created_at: at, updated_at: at });
  },

  get_deployment({ draft }: CommandContext, { params }: Id) {
    return present(find(draft, params.id));
  },

  update_deployment({ draft, at }: CommandContext, { params, body }: Input<"id", unknown, DeploymentPatch>) {
    return present(store(draft, { ...merged(find(draft, params.id), body), updated_at: at }));
  },

  /** Where the old key stops being known is the next snapshot. */
  rotate_deployment({ draft, at }: CommandContext, { params }: Id) {
    return withNewKey(draft, { ...find(draft, params.id), updated_at: at });
  },

  delete_deployment({ draft }: CommandContext, { params }: Id) {
    // Flags refer to it although there is no such resource, so that it must not be taken out of archived ones below.
    if (params.id === gateDeployment) {
      throw new Problem("deployment_in_use", `"${gateDeployment}" is built in and cannot be deleted.`);
    }
    const users = draft.all("feature_flag").filter(({ deployments }) => deployments.includes(params.id));
    const holding = users.filter(({ status }) => status !== "archived");
    if (holding.length > 0) {
      throw new Problem("deployment_in_use", `In use by ${holding.map(({ name }) => `"${name}"`).join(", ")}.`);
    }
    // Archived flags serve nobody and can be edited no more: they let go by themselves.
    for (const flag of users) {
      draft.put("feature_flag", { ...flag, deployments: flag.deployments.filter((id) => id !== params.id) });
    }
    draft.remove("deployment", params.id);
  },
};

function find(draft: Draft, id: string): Deployment {
  const deployment = draft.get("deployment", id);
  if (deployment === undefined) throw new Problem("deployment_not_found");
  return deployment;
}

/** Shows the key also of a server deployment, this once. */
export function withNewKey(draft: Draft, deployment: Deployment) {
  const key = `${deployment.type}-${randomBytes(keyBytes).toString("base64url")}`;
  const key_hash = createHash("sha256").update(key).digest("base64url");
  const stored = store(draft, { ...deployment, key_hash, ...(deployment.type === "client" ? { key } : {}) });
  return { ...present(stored), key };
}

function store(draft: Draft, deployment: Deployment): Deployment {
  const namesake = draft.all("deployment").find(({ id, name }) => name === deployment.name && id !== deployment.id);
  if (namesake !== undefined) throw new Problem("deployment_name_taken", `It is ${namesake.id}.`);
  draft.put("deployment", deployment);
  return deployment;
}

function present({ key_hash: _, ...deployment }: Deployment): Omit<Deployment, "key_hash"> {
  return shown("deployment", deployment);
}
