import type { OperationWords, Topic } from "../operation-words.ts";

const upload: Pick<OperationWords, "uploads" | "commits" | "answer" | "refusals"> = {
  uploads: "MemberList",
  commits: false,
  answer: "MemberChanges",
  refusals: [
    "cohort_not_pushed",
    "invalid_members",
    "cohort_not_found",
    "body_too_large",
    "unsupported_media_type",
    "cohorts_unavailable",
  ],
};
const howToSend =
  "Streamed, up to 1 GiB and 10 million members: a JSON array, NDJSON or CSV by its Content-Type, as it is or with gzip. An entry is the id, or an object or row that holds it.";

export const cohorts: Topic = {
  name: "Cohorts",
  description:
    "Lists of subjects, fetched from where they are kept every hour, or pushed. Segments and rollouts may name them.",
  operations: {
    get_cohorts: {
      summary: "List cohorts",
      description: "Page by page, in the order they were made.",
      answer: "CohortPage",
      refusals: [],
    },
    create_cohort: {
      summary: "Create a cohort",
      description:
        "Its source is fetched at once, and then by its schedule; or it has none, and its members are pushed. Credentials are sent to the source and never shown again.",
      answer: "Cohort",
      refusals: ["cohort_name_taken"],
    },
    get_cohort: {
      summary: "Get a cohort",
      description: "One cohort, and what became of its last refresh.",
      answer: "Cohort",
      refusals: ["cohort_not_found"],
    },
    update_cohort: {
      summary: "Change a cohort",
      description:
        "Only what is sent changes; `source` is replaced as a whole, null takes `description` or `credentials` away. Where `source.url` leads to another origin, credentials have to be sent again, or null. The members stay until another source has given its own.",
      answer: "Cohort",
      refusals: ["cohort_not_found", "cohort_name_taken"],
    },
    delete_cohort: {
      summary: "Delete a cohort",
      description: "With its members. Deleting what is not there succeeds too.",
      refusals: ["cohort_in_use"],
    },
    refresh_cohort: {
      summary: "Refresh a cohort now",
      description: "Answers its status once that is over, or after two seconds while it goes on.",
      commits: false,
      answer: "CohortStatus",
      refusals: ["cohort_not_fetched", "cohort_not_found", "cohorts_unavailable"],
    },
    get_cohort_member: {
      summary: "Look a member up",
      description: "Whether an id is in the cohort. The edge follows within seconds.",
      answer: "Membership",
      refusals: ["cohort_not_found", "cohorts_unavailable"],
    },
    get_cohort_members: {
      summary: "Look at the members",
      description:
        "Some of them, in no particular order. With `Accept: application/x-ndjson` all, one JSON text a line, streamed.",
      answer: "MemberSample",
      lines: { type: "string" },
      refusals: ["cohort_not_found", "cohorts_unavailable"],
    },
    add_cohort_members: {
      ...upload,
      summary: "Add members",
      description: `Those who are in it already stay. ${howToSend}`,
    },
    remove_cohort_members: {
      ...upload,
      summary: "Remove members",
      description: `Those who are not in it are passed over. ${howToSend}`,
    },
    replace_cohort_members: {
      ...upload,
      summary: "Replace the members",
      description: `All at once, when the list has been read to its end: until then those before are the members. ${howToSend}`,
    },
  },
};
