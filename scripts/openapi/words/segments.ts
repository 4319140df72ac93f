import type { Topic } from "../operation-words.ts";

export const segments: Topic = {
  name: "Segments",
  description: "Rules on what is known of a visitor. Experiments and rollouts refer to them.",
  operations: {
    get_segments: {
      summary: "List segments",
      description: "Page by page, in the order they were made.",
      answer: "SegmentPage",
      refusals: [],
    },
    create_segment: {
      summary: "Create a segment",
      description: "A segment matches when any of its rules does.",
      answer: "Segment",
      refusals: ["invalid_segment_rules", "segment_name_taken"],
    },
    get_segment: {
      summary: "Get a segment",
      description: "One segment with its rules.",
      answer: "Segment",
      refusals: ["segment_not_found"],
    },
    update_segment: {
      summary: "Change a segment",
      description: "Only what is sent changes; `rules` are replaced as a whole, `description: null` takes it away.",
      answer: "Segment",
      refusals: ["invalid_segment_rules", "segment_read_only", "segment_not_found", "segment_name_taken"],
    },
    delete_segment: {
      summary: "Delete a segment",
      description: "Deleting what is not there succeeds too.",
      refusals: ["segment_read_only", "segment_in_use"],
    },
  },
};
