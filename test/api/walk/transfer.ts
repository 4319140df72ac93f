import sample from "../../../scripts/sample/login-page.json";
import { createFlag } from "../experiment-stage.ts";
import type { Walk } from "./walk.ts";

export const transfer: Walk = {
  export_configuration: {
    async 200(client) {
      await client.post("/import", sample);
      return client.send("GET", "/export");
    },
  },
  import_configuration: {
    async 200(client) {
      await createFlag(client, { status: "draft" });
      const deployments = [...sample.deployments, { name: "iOS app", type: "client" }];
      const dry = await client.send("POST", "/import?dry_run=true", { feature_flags: [{ name: "x" }] });
      const amplitude = [{ key: "login", variants: { on: { key: "on" } }, segments: [{ variant: "on" }] }];
      await client.post("/import?dry_run=true&format=amplitude", amplitude);
      if (dry.body.problems.length === 0) throw new Error("nothing spoke against it");
      return client.send("POST", "/import?prune=true", { ...sample, deployments });
    },
    invalid_import: ({ send }) => send("POST", "/import", { feature_flags: [{ name: "x" }] }),
  },
};
