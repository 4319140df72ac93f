/** Receives log entries as somebody's webhook would: it fails, hangs and takes them as a test says. */
import { type Listening, listen } from "../../scripts/demo/listen.ts";
import type { LogEntry } from "../../src/model/log-entry.ts";

export interface LogReceiver {
  origin: string;
  /** By path; what is not named is taken. */
  modes: Map<string, "fail" | "hang">;
  /** Requests, whatever became of them. */
  asked: { path: string; authorization: string | undefined }[];
  /** What was taken, by path, in the order in which it came. */
  taken(path: string): LogEntry[];
  close(): Promise<void>;
}

export async function startLogReceiver(): Promise<LogReceiver> {
  const taken = new Map<string, LogEntry[]>();
  const asked: LogReceiver["asked"] = [];
  const modes: LogReceiver["modes"] = new Map();
  const listening: Listening = await listen(0, async (request, response) => {
    const path = request.url ?? "/";
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    asked.push({ path, authorization: request.headers.authorization });
    const mode = modes.get(path);
    if (mode === "hang") return;
    if (mode === "fail") {
      response.writeHead(500).end();
      return;
    }
    const entries = body.startsWith("[")
      ? JSON.parse(body)
      : body
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line));
    taken.set(path, [...(taken.get(path) ?? []), ...entries]);
    response.writeHead(202).end();
  });
  return {
    origin: `http://127.0.0.1:${listening.port}`,
    modes,
    asked,
    taken: (path) => taken.get(path) ?? [],
    close: listening.close,
  };
}
