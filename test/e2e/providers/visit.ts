/** A visitor in Chromium who fills in the pages of these tests. */
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { Chromium } from "../chromium.ts";

/** For `clearCookies`: what the gate keeps in a browser. */
export const ourCookies = { name: /vst_/ };

export interface Visit {
  context: BrowserContext;
  page: Page;
  /** Sends the page's form, by the button of this name where there are several. */
  fill(email: string, password: string, button?: string): Promise<void>;
  /** On the application's page, in the end; `email` where it knows it. The gate's session is over, or will be in a minute. */
  expectLoggedIn(email?: string): Promise<void>;
}

export async function startVisit(chromium: Chromium): Promise<Visit> {
  const context = await chromium.newVisitor();
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  return {
    context,
    page,
    async fill(email, password, button) {
      await page.locator("[name=email]").fill(email);
      await page.locator("[name=password]").fill(password);
      const buttons = page.locator("form button");
      await (button === undefined ? buttons : buttons.filter({ hasText: button })).click();
    },
    async expectLoggedIn(email = "") {
      await page.getByRole("heading", { name: "Logged in" }).waitFor();
      expect(await page.locator("body").textContent()).toContain(email);
      const kept = (await context.cookies()).filter(({ name }) => name.endsWith("vst_ses"));
      expect(kept.filter(({ expires }) => expires > Date.now() / 1000 + 60)).toEqual([]);
    },
  };
}
