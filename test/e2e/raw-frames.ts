/** WebSocket frames (RFC 6455 §5.2), written and read by hand. */
import { createHash, randomBytes } from "node:crypto";
import type { RawReader } from "./raw-message.ts";

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  opcode: number;
  isFinal: boolean;
  payload: Buffer;
}

/** Clients mask, servers must not. */
export function encodeFrame(opcode: number, payload: Buffer, { masked = false, isFinal = true } = {}): Buffer {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  const mark = masked ? 0x80 : 0;
  if (length < 126) head[1] = mark | length;
  else if (length < 65_536) {
    head[1] = mark | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = mark | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, unmask(payload, mask)]);
}

function unmask(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
}

/** @throws CutShortError when the peer goes away instead. */
export async function readFrame(reader: RawReader): Promise<Frame> {
  const [first = 0, second = 0] = await reader.readExactly(2);
  let length = second & 0x7f;
  if (length === 126) length = (await reader.readExactly(2)).readUInt16BE();
  else if (length === 127) length = Number((await reader.readExactly(8)).readBigUInt64BE());
  const mask = second & 0x80 ? await reader.readExactly(4) : null;
  const payload = await reader.readExactly(length);
  return { opcode: first & 0x0f, isFinal: (first & 0x80) !== 0, payload: mask ? unmask(payload, mask) : payload };
}

/** A close frame's payload. */
export function closing(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

/** What answers a Sec-WebSocket-Key (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}
