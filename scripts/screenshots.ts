/** Pictures of every page of the dashboard of a product that runs: wide and narrow, light and dark; and the README's. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { launchChromium } from "../test/e2e/chromium.ts";
import { createVisitor } from "./browserless/visitor.ts";
import { signIn, visitEach } from "./dashboard-pages.ts";
import { demoPassword } from "./demo/accounts.ts";
import { connectionOptions, connectionUsage, readConnection, runCommand } from "./management.ts";
import { root } from "./paths.ts";

const usage = `Usage: npm run screenshots -- [options]

  --out <dir>          where they go (test-results/dashboard)
  --readme             only the one of the README, docs/dashboard.png, once people have come to the demo
  --app <address>      the demo's application (http://localhost:8788)
${connectionUsage}`;

const sizes = { wide: { width: 1280, height: 860 }, narrow: { width: 360, height: 780 } };
const schemes = ["light", "dark"] as const;

async function shoot(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...connectionOptions,
      out: { type: "string", default: join("test-results", "dashboard") },
      readme: { type: "boolean", default: false },
      app: { type: "string", default: "http://localhost:8788" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const connection = await readConnection(values);
  const chromium = await launchChromium();
  try {
    if (values.readme) {
      await sendPeople(values.app);
      return await shootReadme(chromium, connection);
    }
    const out = resolve(root, values.out);
    await mkdir(out, { recursive: true });
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const colorScheme of schemes) {
        const context = await chromium.newVisitor({ viewport, colorScheme, reducedMotion: "reduce" });
        const page = await context.newPage();
        await signIn(page, connection);
        const count = await visitEach(page, connection.url, async (kind) => {
          const name = kind.replaceAll(/\W+/g, "-").replaceAll(/^-|-$/g, "") || "overview";
          await page.screenshot({ path: join(out, `${name}.${size}-${colorScheme}.png`), fullPage: true });
        });
        console.log(`${count} pages, ${size} and ${colorScheme}`);
        await context.close();
      }
    }
    console.log(`In ${out}`);
    return 0;
  } finally {
    await chromium.close();
  }
}

const people = 240;

/** As somebody may who has read the README: most look, many sign in, a few mistype their password. */
async function sendPeople(app: string): Promise<void> {
  for (let first = 0; first < people; first += 20) {
    const arrivals = Array.from({ length: 20 }, async (_, place) => {
      const visitor = createVisitor();
      await visitor.get(`${app}/login`);
      const isWarm = visitor.page.body.includes("Welcome back");
      const mood = (first + place) % 10;
      if (mood < (isWarm ? 6 : 5))
        await visitor.submit({ email: `p${first + place}@example.com`, password: demoPassword });
      else if (mood === 7) await visitor.submit({ email: `p${first + place}@example.com`, password: "mistyped" });
    });
    await Promise.all(arrivals);
  }
}

/** The first experiment that runs, as far as a window shows of it. */
async function shootReadme(
  chromium: Awaited<ReturnType<typeof launchChromium>>,
  connection: { url: string; token: string },
): Promise<number> {
  const context = await chromium.newVisitor({ viewport: { width: 1120, height: 900 }, colorScheme: "light" });
  const page = await context.newPage();
  await signIn(page, connection);
  await page.locator("article.running a").first().click();
  await page.locator("h1").waitFor();
  const path = join(root, "docs", "dashboard.png");
  await page.screenshot({ path });
  console.log(path);
  return 0;
}

await runCommand(shoot);
