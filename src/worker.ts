export default {
  async fetch(request: Request): Promise<Response> {
    return new Response(`hello ${new URL(request.url).pathname}`);
  },
  async queue(): Promise<void> {},
};
