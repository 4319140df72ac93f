const count = { type: "integer", minimum: 0 };

/** Of answers. */
export const headers = {
  "X-Correlation-Id": {
    description: "The request's own, or one made for it: by it the request is found in the change log.",
    required: true,
    schema: { type: "string", minLength: 1 },
  },
  "X-RateLimit-Limit": { description: "How many requests may come at once.", schema: count },
  "X-RateLimit-Remaining": { description: "How many of them are left.", schema: count },
  "X-RateLimit-Reset": {
    description: "When none will have been used up any more, in seconds since 1970.",
    schema: count,
  },
  Link: {
    description: 'Where to read on, as `<address>; rel="next"` (RFC 8288).',
    schema: { type: "string", pattern: '^<[^>]+>; rel="next"$' },
  },
  "Retry-After": { description: "Seconds until another request is let through.", required: true, schema: count },
  "WWW-Authenticate": { description: "What is asked for (RFC 6750).", schema: { type: "string" } },
};

/** Of requests. */
export const requestHeaders = {
  Tenant: {
    name: "X-Vestibule-Tenant",
    in: "header",
    description: "The tenant meant, where the host does not tell.",
    schema: { type: "string" },
  },
  CorrelationId: {
    name: "X-Correlation-Id",
    in: "header",
    description: "Yours for this request, of printable ASCII; it comes back and stands in the change log.",
    schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,64}$" },
  },
};
