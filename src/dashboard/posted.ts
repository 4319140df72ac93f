/** What a form has sent. */
import { plain } from "./replies.ts";

/** Files are read as the text that they are. @returns the answer where it is no form of ours */
export async function readPosted(request: Request, mostBytes: number): Promise<URLSearchParams | Response> {
  const type = request.headers.get("content-type") ?? "";
  const isMultipart = /^multipart\/form-data\b/i.test(type);
  if (!isMultipart && !/^application\/x-www-form-urlencoded\b/i.test(type)) return plain(415, "Send a form.");
  const bytes = await readBytes(request, mostBytes);
  if (bytes === null) return plain(413, "The form is too large.");
  if (!isMultipart) return new URLSearchParams(new TextDecoder().decode(bytes));
  try {
    const form = await new Response(bytes, { headers: { "content-type": type } }).formData();
    const texts = ([...form] as [string, string | File][]).map(async ([name, part]) => [
      name,
      typeof part === "string" ? part : await part.text(),
    ]);
    return new URLSearchParams((await Promise.all(texts)) as string[][]);
  } catch {
    return plain(400, "The form cannot be read.");
  }
}

/** Null where it is longer, whatever length was announced. */
async function readBytes({ headers, body }: Request, mostBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(headers.get("content-length") ?? 0) > mostBytes) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > mostBytes) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
