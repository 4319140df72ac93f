import * as fc from "fast-check";
import { expect, it } from "vitest";
import { Address } from "../../src/assignment/address.ts";

const parts = ({ href, protocol, host, hostname, origin, pathname, search }: Address | URL) => [
  href,
  protocol,
  host,
  hostname,
  origin,
  pathname,
  search,
];

it.each([
  "https://login.example.com/",
  "http://localhost:8787/a/b?c=d",
  "https://a.example/?",
  "https://a.example/p?x=http://other.example/?y",
  "https://[2001:db8::1]:8443/x",
])("takes %s apart as the platform does", (address) => {
  expect(parts(new Address(address))).toEqual(parts(new URL(address)));
});

it("takes every address that a request can have apart as the platform does", () => {
  return fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ["http", "https"] }), (text) => {
      const { url } = new Request(text);
      const platform = new URL(url);
      expect(parts(new Address(url))).toEqual(parts(platform));
      expect([...new Address(url).searchParams]).toEqual([...platform.searchParams]);
    }),
  );
});
