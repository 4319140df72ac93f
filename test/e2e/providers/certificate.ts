/** A key and a self-signed certificate for hosts on loopback: neither Node nor the toolchain can make one. */
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface Certificate {
  /** PEM. */
  key: string;
  /** PEM. */
  cert: string;
  /** SHA-256 of its public key, base64: by this Chromium can be told to trust it. */
  publicKeyHash: string;
}

/** One DER element (X.690 §8.1): tag, length, contents. */
function element(tag: number, ...contents: Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...contents: Uint8Array[]) => element(0x30, ...contents);
const objectId = (hex: string) => element(0x06, Buffer.from(hex, "hex"));
/** UTCTime (RFC 5280 §4.1.2.5.1). */
const time = (date: Date) =>
  element(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, "")}Z`, "ascii"));

const sha256WithRsa = sequence(objectId("2a864886f70d01010b"), element(0x05));
const commonName = (name: string) =>
  sequence(element(0x31, sequence(objectId("550403"), element(0x0c, Buffer.from(name)))));

/** An X.509 certificate (RFC 5280 §4.1) with these hosts as alternative names, valid for a day. */
export function createCertificate(...hosts: string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const publicKeyInfo = publicKey.export({ type: "spki", format: "der" });
  const name = commonName(hosts[0] ?? "localhost");
  const dayMs = 86_400_000;
  const alternativeNames = sequence(
    objectId("551d11"),
    element(0x04, sequence(...hosts.map((host) => element(0x82, Buffer.from(host))))),
  );
  const toBeSigned = sequence(
    element(0xa0, element(0x02, Buffer.from([2]))),
    element(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    sha256WithRsa,
    name,
    sequence(time(new Date(Date.now() - dayMs)), time(new Date(Date.now() + dayMs))),
    name,
    publicKeyInfo,
    element(0xa3, sequence(alternativeNames)),
  );
  const signature = element(0x03, Buffer.from([0]), sign("sha256", toBeSigned, privateKey));
  const base64 = sequence(toBeSigned, sha256WithRsa, signature).toString("base64");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`,
    publicKeyHash: createHash("sha256").update(publicKeyInfo).digest("base64"),
  };
}
