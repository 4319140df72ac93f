import type { Topic } from "../operation-words.ts";

export const groups: Topic = {
  name: "Groups",
  description:
    "Feature flags whose subjects exclude one another, each in slots of its own, or share a holdout that gets none of them.",
  operations: {
    get_groups: {
      summary: "List groups",
      description: "Page by page, in the order they were made.",
      answer: "GroupPage",
      refusals: [],
    },
    create_group: {
      summary: "Create a group",
      description: "Without a `key`, its name gives one.",
      answer: "Group",
      refusals: ["invalid_group", "group_name_taken", "group_key_taken"],
    },
    get_group: {
      summary: "Get a group",
      description: "One group with its feature flags.",
      answer: "Group",
      refusals: ["group_not_found"],
    },
    update_group: {
      summary: "Change a group",
      description:
        "Only what is sent changes; lists are replaced as a whole, null takes a field away. Which fields a group has, its type says. Running experiments whose population changes begin a new epoch.",
      answer: "Group",
      refusals: ["invalid_group", "group_not_found", "group_name_taken"],
    },
    delete_group: {
      summary: "Delete a group",
      description: "Its feature flags stay. Deleting what is not there succeeds too.",
      refusals: [],
    },
  },
};
