/** Base64 as Amplitude's clients write it: URL-safe or standard, padded or not. */

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** The text in it; undefined where there is none. */
export function decodeBase64(text: string): string | undefined {
  const standard = text.trim().replaceAll("-", "+").replaceAll("_", "/");
  try {
    const binary = atob(standard);
    return decoder.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
