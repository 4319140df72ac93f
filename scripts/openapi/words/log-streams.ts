import type { Topic } from "../operation-words.ts";

export const logStreams: Topic = {
  name: "Log streams",
  description:
    "Receivers that are sent entries of the log as they come: over https, in their order, each at least once; `log_id` tells repeats apart.",
  operations: {
    get_log_streams: {
      summary: "List log streams",
      description: "Page by page, in the order they were made, and how far each has come.",
      answer: "LogStreamPage",
      refusals: [],
    },
    create_log_stream: {
      summary: "Create a log stream",
      description:
        "What comes from now on is sent, or what is dated `start_from` or later. A receiver answers 2xx within ten seconds; else it is asked again, twice within seconds, then less and less often up to every quarter of an hour. After three days it is suspended, which the log says too. Authorization and values of custom headers are never shown again.",
      commits: false,
      answer: "LogStream",
      refusals: ["log_stream_limit_exceeded", "log_stream_name_taken"],
    },
    get_log_stream: {
      summary: "Get a log stream",
      description: "One stream, and how far it has come.",
      answer: "LogStream",
      refusals: ["log_stream_not_found"],
    },
    update_log_stream: {
      summary: "Change, pause or resume a log stream",
      description:
        "Only what is sent changes, also within `sink`; `http_custom_headers` is replaced as a whole, null takes `http_authorization` away. `status` `paused` keeps what comes for later; `active` goes on where it was, also after a suspension. Where `http_endpoint` leads to another origin, authorization and custom headers have to be sent again, or null and an empty list.",
      commits: false,
      answer: "LogStream",
      refusals: ["log_stream_not_found", "log_stream_name_taken"],
    },
    delete_log_stream: {
      summary: "Delete a log stream",
      description: "Nothing more is sent. Deleting what is not there succeeds too.",
      commits: false,
      refusals: [],
    },
  },
};
