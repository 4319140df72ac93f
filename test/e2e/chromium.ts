/** A real Chromium from npm, without system packages. */
import chromiumPackage from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium } from "playwright-core";
import { chromeClientHints, chromeUserAgent } from "../../scripts/browserless/visitor.ts";

export interface Chromium {
  /** A visitor of its own: no cookies shared with the others. */
  newVisitor(options?: BrowserContextOptions): Promise<BrowserContext>;
  close(): Promise<void>;
}

/**
 * The package's own arguments suit a serverless function: one process (which dies with its first context) and no web security.
 * A log-in wants the browser as it is; only the sandbox has to go, since a container seldom allows one.
 */
const launchArguments = ["--no-sandbox", "--no-zygote", "--font-render-hinting=none"];

/** @param more arguments of Chromium's own */
export async function launchChromium(...more: string[]): Promise<Chromium> {
  const browser: Browser = await chromium.launch({
    executablePath: await chromiumPackage.executablePath(),
    args: [...launchArguments, ...more],
    headless: true,
  });
  return {
    // Headless Chromium calls itself so in both places, and the gate takes it for the bot it usually is.
    newVisitor: ({ extraHTTPHeaders, ...options } = {}) =>
      browser.newContext({
        userAgent: chromeUserAgent,
        locale: "en-GB",
        extraHTTPHeaders: { ...chromeClientHints, ...extraHTTPHeaders },
        ...options,
      }),
    close: () => browser.close(),
  };
}
