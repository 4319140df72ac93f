import { normalizeHost } from "../model/host.ts";

/** A request's address taken apart once, in JavaScript: each look at a platform URL crosses into C++ and copies a string. */
export class Address {
  readonly href: string;
  /** With its colon, as in a URL. */
  readonly protocol: string;
  /** In the spelling of `normalizeHost`, which is the one that settings and stamps are compared by. */
  readonly host: string;
  readonly pathname: string;
  /** With its question mark; "" where there is no query. */
  readonly search: string;
  #searchParams: URLSearchParams | undefined;

  /** `href` as the platform writes a request's: absolute, normalised, without fragment or user. */
  constructor(href: string) {
    const hostAt = href.indexOf("//") + 2;
    const pathAt = href.indexOf("/", hostAt);
    const queryAt = href.indexOf("?", pathAt);
    this.href = href;
    this.protocol = href.slice(0, hostAt - 2);
    this.host = normalizeHost(href.slice(hostAt, pathAt));
    this.pathname = queryAt < 0 ? href.slice(pathAt) : href.slice(pathAt, queryAt);
    this.search = queryAt < 0 || queryAt === href.length - 1 ? "" : href.slice(queryAt);
  }

  get origin(): string {
    return `${this.protocol}//${this.host}`;
  }

  get hostname(): string {
    return this.host.replace(/:\d+$/, "");
  }

  get searchParams(): URLSearchParams {
    this.#searchParams ??= new URLSearchParams(this.search);
    return this.#searchParams;
  }
}
