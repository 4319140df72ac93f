/** The least a Worker can answer with: the same bytes to everybody, without looking. */
let constant = "";

export default {
  fetch: (): Response => new Response(constant, { headers: { "content-type": "application/json; charset=utf-8" } }),
};

/** Told once what: an answer of the contender's. */
export const Control = {
  async fetch(request: Request): Promise<Response> {
    constant = await request.text();
    return new Response();
  },
};
