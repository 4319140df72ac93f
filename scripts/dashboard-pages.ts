/** The pages of the dashboard, found by following their links: one of each kind. */
import type { Page } from "playwright-core";

/** What tells a kind of page from another: its address without ids and questions, but for what chooses its form. */
function kindOf(address: string): string {
  const question = /[?&](?:to|type|strategy)=\w+/.exec(address)?.[0].slice(1) ?? "";
  const path = new URL(address).pathname.replace(/^\/_vestibule/, "").replaceAll(/[a-z]{3}_\w+/g, ":id");
  return path.replace(/^\/log\/.*/, "/log/:id") + (question && `?${question}`);
}

/** @param url of the Worker, on an admin host */
export async function signIn(page: Page, { url, token }: { url: string; token: string }): Promise<void> {
  await page.goto(`${url}/_vestibule/`);
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/_vestibule/`);
}

/** Goes to each page in turn; `page` must be signed in, and be there again when `look` is done. */
export async function visitEach(
  page: Page,
  url: string,
  look: (kind: string, answer: Awaited<ReturnType<Page["goto"]>>) => Promise<void>,
): Promise<number> {
  const home = `${url}/_vestibule/`;
  const seen = new Set<string>();
  const waiting = [home];
  for (let address = waiting.pop(); address !== undefined; address = waiting.pop()) {
    const kind = kindOf(address);
    if (seen.has(kind) || kind.endsWith("/export")) continue;
    seen.add(kind);
    await look(kind, await page.goto(address));
    const links = await page
      .locator("a[href]")
      .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    waiting.push(...links.map((link) => link.split("#")[0] ?? "").filter((link) => link.startsWith(home)));
  }
  return seen.size;
}
