/** Variants as JSON, written once: the engine gives the same objects again and again. */
import type { Variant } from "../../engine/flag.ts";
import { memo } from "../../model/memo.ts";

/** Without a null: Android drops a variant whose metadata is one. */
export const variantJson = memo(({ key, value, payload, metadata = {} }: Variant): string => {
  const known = Object.entries(metadata).filter(([, each]) => each !== null);
  return JSON.stringify({
    key,
    ...(value === null ? {} : { value }),
    ...(payload === null ? {} : { payload }),
    metadata: Object.fromEntries(known),
  });
});
