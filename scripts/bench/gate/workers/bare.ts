/** The least a reverse proxy does: another host, everything else as it came. */
interface Env {
  ORIGIN: string;
}

export default {
  fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    return fetch(new Request(`${env.ORIGIN}${url.pathname}${url.search}`, request));
  },
};
