/** A real Chromium from npm, without system packages. */
import chromiumPackage from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { chromeUserAgent } from "./browserless.ts";

export interface Chromium {
  /** A visitor of its own: no cookies shared with the others. */
  newVisitor(options?: BrowserContextOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

export async function launchChromium(): Promise<Chromium> {
  const browser: Browser = await chromium.launch({
    executablePath: await chromiumPackage.executablePath(),
    args: chromiumPackage.args,
    headless: true,
  });
  return {
    // Headless Chromium calls itself so, and the gate takes it for the bot it usually is.
    newVisitor: (options = {}) => browser.newContext({ userAgent: chromeUserAgent, ...options }),
    close: () => browser.close(),
  };
}
