/** Of Workers that only other Workers call: the platform wants a handler, but they have no address. */
export const nowhere = {
  fetch: () => new Response(null, { status: 404 }),
} satisfies ExportedHandler;
