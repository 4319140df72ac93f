/** A snapshot for users whose properties an app has filled in (`model/compile/any-case.ts`), made once a version. */
import { compileFlags } from "../engine/compile.ts";
import { inAnyCase } from "../model/compile/any-case.ts";
import { memo } from "../model/memo.ts";
import type { CompiledSnapshot } from "./compiled.ts";

/** The same snapshot where no rule asks about what apps may write differently. */
export const forApps = memo((snapshot: CompiledSnapshot): CompiledSnapshot => {
  const written = [...snapshot.flagByKey.values()];
  const flags = inAnyCase(written);
  if (flags === written) return snapshot;
  const { evaluate } = compileFlags(flags);
  return {
    ...snapshot,
    // What could not be compiled before is none of these.
    flags: { evaluate, faults: snapshot.flags.faults },
    flagByKey: new Map(flags.map((flag) => [flag.key, flag])),
  };
});
