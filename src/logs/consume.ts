/** The queue's consumer: checks, counts and logs what comes. What cannot be read goes, after its retries, to the dead-letter queue. */
import * as v from "valibot";
import { type QueueMessage, queueMessage } from "../model/log-entry.ts";

export function consume(batch: MessageBatch): void {
  const counts = new Map<string, number>();
  for (const message of batch.messages) {
    const parsed = v.safeParse(queueMessage, message.body);
    if (!parsed.success) {
      console.error(
        JSON.stringify({
          message: "unreadable message",
          id: message.id,
          issue: v.flatten(parsed.issues).nested ?? null,
        }),
      );
      message.retry();
      continue;
    }
    const name = nameOf(parsed.output);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (parsed.output.kind === "log") console.log(JSON.stringify(parsed.output.entry));
    message.ack();
  }
  if (counts.size > 0) console.log(JSON.stringify({ message: "events", ...Object.fromEntries(counts) }));
}

function nameOf(message: QueueMessage): string {
  return message.kind === "log" ? `log:${message.entry.type}` : `${message.event.type}:${message.event.experiment_id}`;
}
