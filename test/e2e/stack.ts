/** The whole product on this machine for one test file: the Worker, a provider behind it, an application before it. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import { createVisitor, type Page, type Visitor } from "../../scripts/browserless/visitor.ts";
import { findFreePort, listen } from "../../scripts/demo/listen.ts";
import { type RunningProvider, startProvider } from "../../scripts/demo/provider.ts";
import { redirectUriOf, startRelyingParty } from "../../scripts/demo/relying-party.ts";
import type { StampRecord } from "../../scripts/demo/stamp-log.ts";
import { startLocal } from "../../scripts/local.ts";
import { root } from "../../scripts/paths.ts";
import type { ExperimentStatus } from "../../src/model/snapshot.ts";
import type { ConfigurationFile } from "../../src/model/transfer/configuration-schema.ts";
import { adminVars, manage, publish } from "./managed.ts";

/** The sample's experiment and its variations. */
export const sample = {
  experiment: "exp_WarmerLogin",
  control: "var_LoginContro1",
  treatment: "var_LoginWe1coming",
  draft: "exp_StepwiseSignUp",
  stepwise: "var_SignUpStepwise",
  mobile: "seg_Mobi1eVisitors",
  headlines: { var_LoginContro1: "Sign in", var_LoginWe1coming: "Welcome back" } as Readonly<Record<string, string>>,
};

/** As `npm start` has them on the application's first page. */
const overrides = Object.entries({ control: sample.control, welcoming: sample.treatment }).map(([name, variation]) => ({
  label: `Warmer log-in page: ${name}`,
  query: `experiment_id=${sample.experiment}&variation_id=${variation}`,
}));

export interface StackOptions {
  /** Of the tenant `default`, over `{ inject: "attributes" }`. */
  tenant?: Record<string, unknown>;
  /** Settings of the Worker, over those it has here. */
  vars?: Record<string, string>;
  /** Published before the start instead of the sample. */
  configuration?: ConfigurationFile;
}

export interface Side {
  /** The provider's public address: the gate's, or its own. */
  issuer: string;
  /** The relying application that signs in there. */
  app: string;
  redirectUri: string;
}

export interface Stack {
  gate: Side;
  /** Another provider just like it with nothing before it. */
  direct: Side;
  /** Where the provider behind the gate listens: no visitor may ever be sent there. */
  providerUrl: string;
  cookieKey: { kid: string; secret: Uint8Array<ArrayBuffer> };
  /** Publishes and waits until the gate goes by it. */
  publish(configuration: ConfigurationFile): Promise<void>;
  /** What the provider was stamped since it was last asked, the oldest first. */
  takeStamps(): Promise<StampRecord[]>;
  /** What the Worker wrote to its console, the oldest first. */
  lines: readonly { level: string; message: string }[];
  close(): Promise<void>;
}

export async function readSample(): Promise<ConfigurationFile> {
  return JSON.parse(await readFile(join(root, "scripts", "sample", "login-page.json"), "utf8"));
}

/** A visitor on the provider's log-in page, sent there by the relying application. */
export async function visitLogin({ app }: Side, query = ""): Promise<Visitor> {
  const visitor = createVisitor();
  await visitor.get(`${app}/login${query && `?${query}`}`);
  return visitor;
}

/** The variation that the gate wrote onto the page, beside what the page itself says. */
export function variationOn({ body }: Page): { variation: string | undefined; headline: string | undefined } {
  return {
    variation: /<html[^>]* data-variation-id="([^"]*)"/.exec(body)?.[1],
    headline: /<h1>([^<]*)</.exec(body)?.[1],
  };
}

export function withStatus(configuration: ConfigurationFile, id: string, status: ExperimentStatus): ConfigurationFile {
  const experiments = configuration.experiments?.map((one) => (one.id === id ? { ...one, status } : one));
  return { ...configuration, ...(experiments ? { experiments } : {}) };
}

/** The same with a parameter on every flag that tells one publication from the next. */
function numbered(configuration: ConfigurationFile, revision: number): ConfigurationFile {
  const feature_flags = configuration.feature_flags?.map((flag) => ({
    ...flag,
    parameters: Object.assign({}, flag.parameters, { revision: { type: "number", value: revision } }),
  }));
  return { ...configuration, ...(feature_flags ? { feature_flags } : {}) };
}

interface RunningSide extends Side {
  provider: RunningProvider;
  close(): Promise<void>;
}

/** A provider and the application that signs in there. */
async function startSide(provider: { port: number; issuer: string; stampKey: string }): Promise<RunningSide> {
  const port = await findFreePort();
  const redirectUri = redirectUriOf(port);
  const clients = [{ client_id: "demo", redirect_uris: [redirectUri] }];
  const { issuer } = provider;
  const running = await startProvider({ ...provider, clients });
  const app = await startRelyingParty({ port, issuer, clientId: "demo", overrides });
  return {
    issuer,
    app: app.url,
    redirectUri,
    provider: running,
    close: async () => {
      await Promise.all([running.close(), app.close()]);
    },
  };
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const secret = new Uint8Array(randomBytes(32));
  const stampKey = randomBytes(32).toString("base64url");
  const lines: { level: string; message: string }[] = [];

  // The Worker must know the provider's port, and the provider the Worker's: the port is held until both are known.
  const held = await listen(0, () => {});
  const worker = await startLocal({
    port: 0,
    vars: {
      ...adminVars,
      ORIGIN: `http://127.0.0.1:${held.port}`,
      TENANTS: JSON.stringify({ default: { inject: "attributes", ...options.tenant } }),
      COOKIE_KEYS: `k1:${Buffer.from(secret).toString("base64url")}`,
      STAMP_KEY: stampKey,
      SNAPSHOT_FRESH_SECONDS: "0.1",
      // A shared machine may be slow for a while; failing open is another suite's subject.
      DECISION_BUDGET_MS: "5000",
      ...options.vars,
    },
    onLog: (level, message) => lines.push({ level, message }),
  });
  await held.close();
  const gate = await startSide({ port: held.port, issuer: worker.url, stampKey });
  const directPort = await findFreePort();
  const direct = await startSide({ port: directPort, issuer: `http://localhost:${directPort}`, stampKey });

  let lastStamp = "";
  let revision = 0;
  async function put(configuration: ConfigurationFile): Promise<void> {
    revision++;
    await publish(manage(worker), numbered(configuration, revision));
  }

  /** The provider says on every page, this error too, what it was stamped. Forced visitors are in no statistics. */
  async function isInForce(): Promise<void> {
    const query = `experiment_id=${sample.experiment}&variation_id=${sample.control}`;
    const { body } = await createVisitor().get(`${gate.issuer}/auth?${query}`);
    if (!body.includes(`&quot;revision&quot;:${revision}`)) throw new Error(`revision ${revision} is not in force`);
  }

  await put(options.configuration ?? (await readSample()));
  return {
    gate,
    direct,
    providerUrl: gate.provider.url,
    cookieKey: { kid: "k1", secret },
    async publish(configuration) {
      await put(configuration);
      await vi.waitFor(isInForce, { timeout: 5_000, interval: 50 });
    },
    async takeStamps() {
      const answer = await fetch(`${gate.provider.url}/demo/stamps`, { headers: { accept: "application/json" } });
      const latestFirst = (await answer.json()) as StampRecord[];
      const known = latestFirst.findIndex((record) => JSON.stringify(record) === lastStamp);
      lastStamp = JSON.stringify(latestFirst[0]);
      return latestFirst.slice(0, known < 0 ? undefined : known).reverse();
    },
    lines,
    async close() {
      await Promise.all([gate.close(), direct.close()]);
      await worker.close();
    },
  };
}
