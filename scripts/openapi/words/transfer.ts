import type { Topic } from "../operation-words.ts";

export const transfer: Topic = {
  name: "Import and export",
  description: "A tenant as one document, so that its configuration can be kept with code.",
  operations: {
    export_configuration: {
      summary: "Export everything",
      description:
        "All resources but tokens, by keys and names instead of ids, in stored order: two exports differ where the configuration does. Members of cohorts and their credentials are left out.",
      answer: "Configuration",
      refusals: [],
    },
    import_configuration: {
      summary: "Import a document",
      description:
        "As an export gives it or, with `format=amplitude`, Amplitude's own list of flags, which keeps everyone the variant they have. What the document names is made or changed, what it does not name stays unless `prune` is true; all of it or nothing. It also needs the scope to update, and to delete with `prune`. A dry run tells what would change, and what speaks against it.",
      body: "ImportDocument",
      answer: "Import",
      refusals: ["invalid_import"],
    },
  },
};
