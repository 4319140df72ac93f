/** `npm run simulate`: synthetic visitors with one fault among them, the real way through; then what the diagnosis says. */
import { parseArgs } from "node:util";
import { demoPassword } from "./demo/accounts.ts";
import { connect, connectionOptions, type Management, runCommand } from "./management.ts";
import type { Fault } from "./simulation/fault.ts";
import { faults, outOfReach } from "./simulation/faults.ts";
import type { Ground } from "./simulation/ground.ts";
import { print, table } from "./simulation/print.ts";
import { createProgress } from "./simulation/progress.ts";
import { simulate } from "./simulation/run.ts";

const defaults = { visitors: 2_000, seed: 1, seconds: 300, sideBySide: 40 };
const mostVisitors = 100_000;

const usage = `Usage: npm run simulate -- --fault <name> [options]
       npm run simulate -- --list

  --fault <name>       what goes wrong; none for a healthy experiment
  --list               the faults, and what each is
  --visitors <n>       how many people come (${defaults.visitors})
  --seed <n>           chance: the same seed draws the same people (${defaults.seed})
  --seconds <n>        after how long nobody more sets out (${defaults.seconds})
  --side-by-side <n>   how many are on their way at once (${defaults.sideBySide})

Without --url it starts a stack of its own, with a state of its own that is deleted afterwards. To visit one that runs:

  --url <address>      of the Worker, on an admin host: http://localhost:8787
  --token <token>      ($ADMIN_TOKEN, or the one that npm start keeps in $STATE_DIR/secrets.json)
  --tenant <name>      where a host serves several
  --pause-others       pause what is active meanwhile
  --client-id, --redirect-uri, --password
                       how people sign in there (as at the demo's provider, whose pages they know)

It ends with 0 if the diagnosis names the fault first, with 1 if it does not, and with 2 if it was asked wrongly.`;

const options = {
  fault: { type: "string" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
  visitors: { type: "string", default: String(defaults.visitors) },
  seed: { type: "string", default: String(defaults.seed) },
  seconds: { type: "string", default: String(defaults.seconds) },
  "side-by-side": { type: "string", default: String(defaults.sideBySide) },
  ...connectionOptions,
  "client-id": { type: "string", default: "demo" },
  "redirect-uri": { type: "string" },
  password: { type: "string", default: demoPassword },
  "pause-others": { type: "boolean", default: false },
} as const;

class Asked extends Error {}

function readNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new Asked(`--${name}: a whole number from ${least} to ${most}`);
}

function list(): string[] {
  const rows = faults.map(({ name, says, needsOwnStack }) => [name, `${says}${needsOwnStack ? " (*)" : ""}`]);
  const unreachable = outOfReach.map(({ check, why }) => [check, why]);
  return [
    ...table(rows),
    "",
    "(*) in a stack of its own alone, without --url",
    "",
    "What no visitor and no operator can bring about:",
    ...table(unreachable),
  ];
}

function faultNamed(name: string | undefined): Fault {
  const fault = faults.find((each) => each.name === name);
  if (fault !== undefined) return fault;
  throw new Asked(`--fault: one of ${faults.map((each) => each.name).join(", ")}`);
}

await runCommand(async () => {
  const { values } = parseArgs({ options });
  if (values.help || (values.fault === undefined && !values.list)) {
    console.log(usage);
    return values.help ? 0 : 2;
  }
  if (values.list) {
    console.log(list().join("\n"));
    return 0;
  }
  try {
    const fault = faultNamed(values.fault);
    const visitors = readNumber("visitors", values.visitors, fault.least, mostVisitors);
    const seed = readNumber("seed", values.seed, 0, 2 ** 32 - 1);
    const seconds = readNumber("seconds", values.seconds, 1, 3_600);
    const sideBySide = readNumber("side-by-side", values["side-by-side"], 1, 200);
    if (values.url !== undefined && fault.needsOwnStack) {
      throw new Asked(`--url: ${fault.name} can only be brought about in a stack of the simulation's own`);
    }
    // Before anything is paused or started, which has to be undone.
    const stop = interrupted();
    const progress = createProgress(process.stderr);
    const { ground, close } = values.url === undefined ? await startOwn(fault, seed) : await visit(values);
    try {
      const signal = AbortSignal.any([stop, AbortSignal.timeout(seconds * 1_000)]);
      const simulated = await simulate(fault, ground, { visitors, seed, sideBySide, signal, progress });
      progress.end();
      console.log(print(simulated).join("\n"));
      return simulated.isNamed ? 0 : 1;
    } finally {
      progress.end();
      await close();
    }
  } catch (error) {
    if (!(error instanceof Asked)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
});

/** Whoever interrupts it finds everything as it was; who does so twice, does not wait for it. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => controller.abort(name));
  return controller.signal;
}

type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

interface Visited {
  ground: Ground;
  close(): Promise<void>;
}

async function startOwn(fault: Fault, seed: number): Promise<Visited> {
  const { startSimulationStack } = await import("./simulation/stack.ts");
  const stack = await startSimulationStack({ seed, faults: [fault] });
  return { ground: stack.ground(fault.name), close: stack.close };
}

async function visit(values: Values): Promise<Visited> {
  const { visitRunning } = await import("./simulation/running.ts");
  const management: Management = await connect(values);
  const { url = "", "client-id": clientId, "redirect-uri": redirectUri, password, "pause-others": pauses } = values;
  return visitRunning(management, { url, clientId, redirectUri, password, pauses });
}
