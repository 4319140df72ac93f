/** Puts events and log lines onto the queue, behind the answer: what cannot be sent is told on the console and lost. */
import { createLimiter } from "../logs/limiter.ts";
import type { QueueMessage } from "../model/log-entry.ts";

/** Of one call to the queue; its 256 KB are far away. */
const mostAtOnce = 100;

export type SendGuard = <T>(dependency: "queue", call: () => Promise<T>) => Promise<T>;

export interface Sender {
  /** Never throws nor rejects. @returns whether the queue has them all */
  send(messages: () => Promise<readonly QueueMessage[]>, queue: Queue): Promise<boolean>;
}

export function createSender(guard: SendGuard, now: () => number): Sender {
  const limiter = createLimiter(now);
  return {
    async send(gather, queue) {
      try {
        const messages = await gather();
        for (let from = 0; from < messages.length; from += mostAtOnce) {
          const batch = messages.slice(from, from + mostAtOnce).map((body) => ({ body }));
          await guard("queue", () => queue.sendBatch(batch));
        }
        return true;
      } catch (error) {
        if (limiter.admit("unreported")) {
          console.error(JSON.stringify({ message: "events not reported", reason: String(error) }));
        }
        return false;
      }
    },
  };
}
