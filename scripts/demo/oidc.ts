/**
 * Loads `oidc-provider` without its warning that this Node is no LTS release: the toolchain's Node comes from npm, where the
 * releases that carry the LTS mark may be missing, and a first-time user cannot act on it.
 */
const { warn } = console;
console.warn = (...message: unknown[]) => {
  if (!String(message[0]).includes("Unsupported runtime")) warn(...message);
};
export const { Provider, interactionPolicy, errors } = await import("oidc-provider").finally(() => {
  console.warn = warn;
});
