/** A reverse proxy that sets as many headers as the gate does, without deciding anything. */
interface Env {
  ORIGIN: string;
}

let constants: readonly (readonly [name: string, value: string])[] = [];

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const forwarded = new Request(`${env.ORIGIN}${url.pathname}${url.search}`, request);
    for (const [name, value] of constants) forwarded.headers.set(name, value);
    return fetch(forwarded);
  },
};

/** Told once which headers: those that the gate was seen to add. */
export const Control = {
  async fetch(request: Request): Promise<Response> {
    constants = await request.json();
    return new Response();
  },
};
