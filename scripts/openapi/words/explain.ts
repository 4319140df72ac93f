import type { Topic } from "../operation-words.ts";

export const explain: Topic = {
  name: "Explanations",
  description: "Why a subject gets what it gets.",
  operations: {
    explain: {
      summary: "Explain an assignment",
      description:
        "What each feature flag, or the one named, gives a subject with these attributes, step by step, as data and in words: of what is committed, published or not. It assigns nothing. Name `device_id`, `user_id` or both. The cohorts that they are in are looked up, by the members there are now, unless `cohort_ids` names them (ids, separated by commas; empty for none). While they cannot be, `cohorts` is null, and of flags that ask about them the reason is `no_cohorts`, as it is for cohorts whose members are not published yet: nobody is newly assigned then.",
      answer: "Explanation",
      refusals: ["feature_flag_not_found", "experiment_not_found"],
    },
  },
};
