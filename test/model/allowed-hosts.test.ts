import { describe, expect, it } from "vitest";
import { addressOf, findAddressFault, parseAllowedHosts } from "../../src/model/allowed-hosts.ts";

const { allowed } = parseAllowedHosts(
  "data.example.com, *.Example.org, files.example.com:8443, *.wide.example.com:9443, http://127.0.0.1:9000, https://10.0.0.5:8443, https://minio.internal",
);

describe("parseAllowedHosts", () => {
  it("takes hosts, wildcards, ports and origins that are spelled out", () => {
    expect(parseAllowedHosts("").faults).toEqual([]);
    expect(parseAllowedHosts(" , Data.Example.com:443 ,*.münchen.example,http://LOCALHOST:9000")).toEqual({
      allowed: ["data.example.com", "*.xn--mnchen-3ya.example", "http://localhost:9000"],
      faults: [],
    });
  });

  it.each([
    "*",
    "*.com",
    "example",
    "localhost",
    "localhost:9000",
    "intranet.local",
    "minio.internal",
    "minio.internal.",
    "10.0.0.5",
    "127.0.0.1:9000",
    "0x7f.1",
    "2130706433",
    "[::1]",
    "[::1]:9000",
    "data.example.com/path",
    "user@example.com",
    "da*.example.com",
    "data.example.com:port",
    "data.example.com:99999",
    "http://127.0.0.1:9000/path",
    "http://user@127.0.0.1:9000",
    "ftp://data.example.com",
    "https://",
  ])("names %s as none", (entry) => {
    const { allowed, faults } = parseAllowedHosts(`${entry}, data.example.com`);
    expect(faults).toEqual([expect.stringContaining(JSON.stringify(entry))]);
    expect(allowed).toEqual(["data.example.com"]);
  });
});

describe("findAddressFault", () => {
  it.each([
    "https://data.example.com/cohort.csv",
    "https://DATA.example.com:443/cohort.csv?signature=x",
    "https://a.example.org/x",
    "https://a.b.example.org/x",
    "https://files.example.com:8443/x",
    "https://a.wide.example.com:9443/x",
    "http://127.0.0.1:9000/x",
    "http://0x7f.1:9000/x",
    "https://10.0.0.5:8443/x",
    "https://minio.internal/x",
  ])("lets %s through", (url) => {
    expect(findAddressFault(url, allowed, "COHORT_HOSTS")).toBeNull();
  });

  it.each([
    ["cohort.csv", "must be an address"],
    ["https://", "must be an address"],
    ["http://data.example.com/x", "https"],
    ["ftp://data.example.com/x", "https"],
    ["data:text/csv,id", "https"],
    ["file:///etc/passwd", "https"],
    ["https://data.example.com:8443/x", "not in COHORT_HOSTS"],
    ["https://files.example.com/x", "not in COHORT_HOSTS"],
    ["https://example.org/x", "not in COHORT_HOSTS"],
    ["https://notexample.org/x", "not in COHORT_HOSTS"],
    ["https://data.example.com.evil.example/x", "not in COHORT_HOSTS"],
    ["https://data.example.com./x", "not in COHORT_HOSTS"],
    ["https://evil.example\\@data.example.com/x", "not in COHORT_HOSTS"],
    ["https://user@data.example.com/x", "user name"],
    ["https://:secret@data.example.com/x", "user name"],
    ["http://user:secret@127.0.0.1:9000/x", "user name"],
    ["https://127.0.0.1/x", "IP address"],
    ["https://127.1/x", "IP address"],
    ["https://0x7f000001/x", "IP address"],
    ["https://2130706433/x", "IP address"],
    ["https://0177.0.0.1/x", "IP address"],
    ["https://8.8.8.8/x", "IP address"],
    ["https://127.0.0.1./x", "IP address"],
    ["https://①②⑦.0.0.1/x", "IP address"],
    ["https://[::1]/x", "IP address"],
    ["https://[::ffff:127.0.0.1]/x", "IP address"],
    ["https://[fe80::1]/x", "IP address"],
    ["https://localhost/x", "private name"],
    ["https://localhost./x", "private name"],
    ["https://a.localhost/x", "private name"],
    ["https://printer.local/x", "private name"],
    ["https://metadata.google.internal/x", "private name"],
    ["https://intranet/x", "private name"],
    ["http://127.0.0.1:9001/x", "https"],
    ["https://127.0.0.1:9000/x", "IP address"],
    ["http://localhost:9000/x", "https"],
    ["http://10.0.0.5:8443/x", "https"],
    ["https://10.0.0.5/x", "IP address"],
    ["https://minio.internal:8443/x", "private name"],
  ])("refuses %s", (url, reason) => {
    const fault = findAddressFault(url, allowed, "COHORT_HOSTS");
    expect(fault).toContain(reason);
    expect(fault).not.toContain("secret");
  });

  it("refuses a private name under a wildcard for it, and everything when nothing is listed", () => {
    expect(findAddressFault("https://a.internal/x", ["*.internal"], "COHORT_HOSTS")).toContain("private name");
    expect(findAddressFault("https://data.example.com/x", [], "COHORT_HOSTS")).toContain(
      "COHORT_HOSTS, which is empty",
    );
  });
});

it("names an address without its query, which may be signed", () => {
  expect(addressOf("https://user:secret@data.example.com:8443/a/b.csv?signature=secret#secret")).toBe(
    "https://data.example.com:8443/a/b.csv",
  );
  expect(addressOf("nonsense")).toBe("the address");
});
