/** Whether a visitor has agreed to be assigned. */

import { cookieValues } from "../assignment/cookies.ts";
import { compilePattern } from "../engine/pattern.ts";
import type { Tenant } from "../model/tenant.ts";

/** Consent cookies are short; a longer value does not count as consent. */
const maxValueLength = 512;

export function compileConsent(consent: Tenant["consent"]): (cookies: string | null) => boolean {
  if (!consent) return () => true;
  const pattern = compilePattern(consent.pattern);
  const maxLength = Math.min(pattern.maxLength, maxValueLength);
  return (cookies) =>
    cookieValues(cookies, consent.cookie).some((value) => value.length <= maxLength && pattern.matches(value));
}
