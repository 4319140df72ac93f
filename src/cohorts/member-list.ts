/** All members of a cohort as a stream, in the form of Amplitude's cohort JSON. */
import type { CohortDefinition } from "../model/cohort.ts";
import type { MemberStore } from "./member-store.ts";

export interface MemberListing {
  size: number;
  /** When the members last changed, in ms since the epoch. */
  lastModified: number;
  /** JSON; it breaks off where the members change while it is read. */
  body: ReadableStream<Uint8Array>;
}

export function createMemberStream(
  store: MemberStore,
  { definition, size, lastModified }: { definition: CohortDefinition; size: number; lastModified: number },
): ReadableStream<Uint8Array> {
  const { id, id_type } = definition;
  const encoder = new TextEncoder();
  const left = store.generations(id);
  const head = {
    cohortId: id,
    groupType: id_type === "user" ? "User" : "Device",
    groupTypeId: id_type === "user" ? 0 : 1,
    lastComputed: lastModified,
    lastModified,
    size,
  };
  let text = `${JSON.stringify(head).slice(0, -1)},"memberIds":[`;
  let isFirst = true;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      const next = left.shift();
      if (next !== undefined) {
        const { ids } = store.read(id, next.bucket, next.generation);
        if (ids.length === 0) {
          controller.error(new Error("the members have changed while they were read; read them again"));
          return;
        }
        text += `${isFirst ? "" : ","}${JSON.stringify(ids).slice(1, -1)}`;
        isFirst = false;
      } else text += "]}";
      controller.enqueue(encoder.encode(text));
      text = "";
      if (next === undefined) controller.close();
    },
  });
}
