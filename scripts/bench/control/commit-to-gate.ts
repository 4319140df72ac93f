/** From a commit until the gate shows it, on the local stack as `npm start` has it. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startLocal } from "../../local.ts";
import { quantile } from "../interleave.ts";
import { createApi, seed } from "./seed.ts";

const rounds = 9;
const secret = () => randomBytes(32).toString("base64url");
const token = secret();

export async function commitToGate(): Promise<void> {
  const origin = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(String(request.headers["x-experiment-config"] ?? ""));
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const { port } = origin.address() as AddressInfo;
  const worker = await startLocal({
    port: 0,
    onLog: () => {},
    vars: {
      ORIGIN: `http://127.0.0.1:${port}`,
      ADMIN_HOSTS: "*",
      ADMIN_TOKEN: token,
      COOKIE_KEYS: `k1:${secret()}`,
      STAMP_KEY: secret(),
      SNAPSHOT_FRESH_SECONDS: "0.1",
    },
  });
  try {
    const api = createApi({ url: worker.url, host: new URL(worker.url).host, token });
    const { flagIds } = await seed(api, { flags: 1 });
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const title = `Title ${round}`;
      await api("PATCH", `/feature-flags/${flagIds[0]}`, { parameters: { title: { type: "string", value: title } } });
      const start = performance.now();
      while (!(await shows(worker.url, title))) await new Promise((resolve) => setTimeout(resolve, 20));
      times.push(performance.now() - start);
    }
    const [middle, worst] = [quantile(times, 0.5), Math.max(...times)];
    console.log(
      `From commit to gate on the local stack, ${rounds} commits: median ${middle.toFixed(0)} ms, worst ${worst.toFixed(0)} ms\n`,
    );
  } finally {
    await worker.close();
    origin.close();
  }
}

/** Whether a newcomer's page bears the title; whoever is in the treatment has another. */
async function shows(url: string, title: string): Promise<boolean> {
  const response = await fetch(`${url}/login`, {
    headers: {
      accept: "text/html",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
      "user-agent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/149.0.0.0 Safari/537.36",
    },
  });
  const config = await response.text();
  return config !== "" && JSON.parse(Buffer.from(config, "base64url").toString()).title === title;
}
