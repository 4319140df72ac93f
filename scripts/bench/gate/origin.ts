/** A log-in page's server that costs next to nothing: it counts heads in raw TCP and answers bytes prepared once. */
import { createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";

const rows = ["E-mail", "Password", "Stay signed in", "Forgot your password?", "Create an account", "Help"]
  .map((label, at) => `<p class="row"><label for="f${at}">${label}</label><input id="f${at}" name="f${at}"></p>`)
  .join("\n");
/** Inlined style, no rule twice, so that it packs as style does. */
const styleOf = (rules: number) =>
  Array.from({ length: rules }, (_, at) => {
    const hue = (at * 7919) % 360;
    return `.c${at.toString(36)}{margin:${hue % 31}px ${at % 17}px;color:hsl(${hue} ${hue % 91}% ${at % 67}%);display:grid}`;
  }).join("");
/** A sign-in page with so many rules of style in it, as hosted pages have them. */
const pageOf = (rules: number) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css">
<style>${styleOf(rules)}</style>
</head><body><h1>Sign in</h1><form method="post" action="/login">
${rows}
<button class="go">Sign in</button></form></body></html>`;

/** What identity providers send with a page; those of the connection are what Node adds. */
const headersOf = (body: Buffer) => [
  "X-Powered-By: Express",
  "Content-Security-Policy: default-src 'self'; frame-ancestors 'none'",
  "X-Frame-Options: DENY",
  "X-Content-Type-Options: nosniff",
  "Referrer-Policy: no-referrer",
  "Cache-Control: no-store",
  "Content-Type: text/html; charset=utf-8",
  `Content-Length: ${body.length}`,
  "Date: Wed, 01 Jan 2025 00:00:00 GMT",
];
const hopByHop = ["Connection: keep-alive", "Keep-Alive: timeout=5"];
const smallPage = Buffer.from(pageOf(20));
const hostedPage = gzipSync(pageOf(560));

export interface Answering {
  /** Whether answers bear `Connection` and `Keep-Alive`, as Node's do. */
  hopByHop: boolean;
  /** A page as hosted providers send it, 32 KB and gzipped, rather than a plain one of 2 KB. */
  hosted: boolean;
}

function answerOf({ hopByHop: isNode, hosted }: Answering): Buffer {
  const body = hosted ? hostedPage : smallPage;
  const encoding = hosted ? ["Content-Encoding: gzip", "Vary: Accept-Encoding"] : [];
  const headers = [...headersOf(body), ...encoding, ...(isNode ? hopByHop : [])];
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${headers.join("\r\n")}\r\n\r\n`), body]);
}

export interface Origin {
  url: string;
  /** What it answers from now on. */
  serve(answering: Answering): void;
  /** Head of the next request that comes. */
  capture(): Promise<string>;
  close(): Promise<void>;
}

export async function startOrigin(): Promise<Origin> {
  let answer = answerOf({ hopByHop: true, hosted: false });
  let captured: ((head: string) => void) | null = null;
  const sockets = new Set<Socket>();

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let rest: Buffer | null = null;
    socket.on("data", (chunk) => {
      let data = rest ? Buffer.concat([rest, chunk]) : chunk;
      for (;;) {
        const end = data.indexOf("\r\n\r\n");
        if (end < 0) break;
        if (captured) captured(data.toString("latin1", 0, end));
        captured = null;
        data = data.subarray(end + 4);
        socket.write(answer);
      }
      rest = data.length > 0 ? data : null;
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the origin got no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    serve(answering) {
      answer = answerOf(answering);
    },
    capture: () =>
      new Promise((resolve) => {
        captured = resolve;
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
