import type { Topic } from "../operation-words.ts";

export const logs: Topic = {
  name: "Logs",
  description:
    "What became of log-ins, each with the experiment in force, and warnings: in the shape of Auth0's log events, newest 30 days.",
  operations: {
    get_logs: {
      summary: "Search the log",
      description: `By page: \`page\`, \`per_page\` and \`sort\`, 1,000 entries at most, the newest first unless said otherwise. By checkpoint: \`take\` entries after \`from\`, in the order in which they came, which neither skips nor repeats any while others arrive; \`Link\` says where to read on. A list; with \`include_totals\` an object that holds it.

\`q\` asks, in the manner of Lucene, for \`field:value\`, joined by \`AND\`, \`OR\` and \`NOT\` with brackets: \`type:(f OR fs) AND date:[2030-01-01 TO *]\`, \`details.code:experiment_circuit_open\`, \`details.experiment.id:"exp_…"\`, \`ip:203.0.113.*\`, \`_exists_:details.experiment\`. Values are equal to the letter; a \`*\` at the end stands for any more; \`description\` and \`user_agent\` contain them, in whatever case. Dates and epochs have ranges: \`[from TO to]\`, \`{from TO to}\` without the ends, \`>=\`. With several experiments, \`details.experiment\` is any of them.`,
      headers: ["Link"],
      answer: "LogEntries",
      refusals: ["logs_unavailable"],
    },
    get_log: {
      summary: "Get an entry of the log",
      description: "By its `log_id`, as long as the log keeps it.",
      answer: "LogEntry",
      refusals: ["log_not_found", "logs_unavailable"],
    },
  },
};
