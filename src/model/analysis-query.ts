/** From when to when an experiment is looked at; the whole time unless said. */
import * as v from "valibot";
import { timestampSchema } from "./fields.ts";

export const analysisQuerySchema = v.pipe(
  v.strictObject({
    from: v.exactOptional(timestampSchema),
    /** Not in it. */
    to: v.exactOptional(timestampSchema),
  }),
  v.check(
    ({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to),
    "from must be before to",
  ),
);
export type AnalysisQuery = v.InferOutput<typeof analysisQuerySchema>;
