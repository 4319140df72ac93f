/**
 * The queue's consumer: hands events to the ledger and entries to the log, a call for each that has to know. Messages are
 * taken off the queue one by one as they arrive there; what does not arrive comes again, and harms no other.
 */
import * as v from "valibot";
import type { VestibuleEvent } from "../model/event.ts";
import { type LogEntry, type QueueMessage, queueMessage } from "../model/log-entry.ts";

export interface Sinks {
  /** Whether each event is counted. */
  deliver(tenant: string, events: readonly VestibuleEvent[]): Promise<readonly boolean[]>;
  /** Rejects where the entries may not be stored. */
  record(tenant: string, entries: readonly LogEntry[]): Promise<void>;
}

type Content<Kind extends QueueMessage["kind"]> = Extract<QueueMessage, { kind: Kind }>;
interface Received<Kind extends QueueMessage["kind"]> {
  message: Message;
  content: Content<Kind>;
}

const firstDelaySeconds = 5;
const lastDelaySeconds = 900;

export async function consume(batch: MessageBatch, { deliver, record }: Sinks): Promise<void> {
  const events: Received<"event">[] = [];
  const entries: Received<"log">[] = [];
  for (const message of batch.messages) {
    const parsed = v.safeParse(queueMessage, message.body);
    if (!parsed.success) refuse(message, parsed.issues);
    else if (parsed.output.kind === "event") events.push({ message, content: parsed.output });
    else entries.push({ message, content: parsed.output });
  }
  // Each tenant by itself: one whose objects do not answer delays no other's messages.
  await Promise.all([
    ...[...Map.groupBy(events, ({ content }) => content.event.tenant)].map(async ([tenant, received]) => {
      const counted = await deliver(
        tenant,
        received.map(({ content }) => content.event),
      ).catch((error: unknown) => {
        tell("events not counted", tenant, error);
        return [];
      });
      received.forEach(({ message }, index) => {
        settle(message, counted[index] ?? false);
      });
    }),
    ...[...Map.groupBy(entries, ({ content }) => content.entry.tenant_name)].map(async ([tenant, received]) => {
      // Workers Logs have them although the logbook be down.
      for (const { content, message } of received)
        if (message.attempts <= 1) console.log(JSON.stringify(content.entry));
      const isStored = await record(
        tenant,
        received.map(({ content }) => content.entry),
      ).then(
        () => true,
        (error: unknown) => {
          tell("log entries not stored", tenant, error);
          return false;
        },
      );
      for (const { message } of received) settle(message, isStored);
    }),
  ]);
  const counts = Map.groupBy([...events, ...entries], ({ content }) => nameOf(content));
  if (counts.size === 0) return;
  const summary = Object.fromEntries([...counts].map(([name, all]) => [name, all.length]));
  console.log(JSON.stringify({ message: "events", ...summary }));
}

/** It goes round until the queue gives up on it, and is then found in the dead-letter queue. */
function refuse(message: Message, issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): void {
  if (message.attempts <= 1) {
    const { nested = null } = v.flatten(issues);
    console.error(JSON.stringify({ message: "unreadable message", id: message.id, issues: nested }));
  }
  message.retry();
}

function settle(message: Message, isDone: boolean): void {
  const delaySeconds = Math.min(lastDelaySeconds, firstDelaySeconds * 2 ** (message.attempts - 1));
  if (isDone) message.ack();
  else message.retry({ delaySeconds });
}

function tell(what: string, tenant: string, error: unknown): void {
  console.error(JSON.stringify({ message: what, tenant, reason: String(error) }));
}

function nameOf(message: QueueMessage): string {
  return message.kind === "log" ? `log:${message.entry.type}` : `${message.event.type}:${message.event.experiment_id}`;
}
