/** A cohort's source as the refresher asks it: from the request to batches of ids. */
import type { SourceAnswer, SourceRequest } from "./refresher.ts";
import { openSource, type Validators } from "./source/fetch-source.ts";
import { readMembers } from "./source/members.ts";
import type { SourceLimits } from "./source/source-limits.ts";

export interface SourceOpenerOptions {
  /** Of `parseAllowedHosts`. */
  allowed: readonly string[];
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  limits: SourceLimits;
}

export function createSourceOpener({ allowed, fetch, limits }: SourceOpenerOptions) {
  return async ({ definition, validators, signal, tally }: SourceRequest): Promise<SourceAnswer> => {
    const { source, credentials } = definition;
    if (source.type !== "url") throw new Error(`${definition.id} has no source to fetch`);
    const conditional = validators === null ? {} : { conditional: validators as Validators };
    const opened = await openSource({ source, credentials, allowed, ...conditional, fetch, limits, signal });
    if (opened.unchanged) return { isUnchanged: true };
    return {
      isUnchanged: false,
      batches: readMembers(opened.stream, source, tally, limits),
      validators: () => ({
        ...opened.validators,
        ...(tally.amplitudeLastModified === undefined ? {} : { amplitudeLastModified: tally.amplitudeLastModified }),
      }),
    };
  };
}
