export const introduction = {
  title: "Vestibule management API",
  version: "2",
  summary: "Feature flags, experiments and segments of log-in and sign-up pages.",
  description: `In the shape of Auth0's Experiment Center, with additions of our own.

Bodies are JSON or form-urlencoded; names are unique, text is one line. Lists come page by page: \`take\` items, from the
\`next\` of the page before. What is refused answers a status, a message that names the field and what would be right, and an
\`errorCode\` that stays the same when the words change.

A change is stored whole or not at all, stands in the change log, and is published to the edge within a minute.`,
  license: { name: "MIT", identifier: "MIT" },
};
