/** Where the pages are, and where one may be sent back to. */

export const dashboardPath = "/_vestibule";
export const signInPath = `${dashboardPath}/sign-in`;
export const assetsPath = `${dashboardPath}/assets/`;

/** Under the dashboard's path, but nobody's page: apps fetch there, and health is asked. */
const others = [`${dashboardPath}/v1`, `${dashboardPath}/health`];

export function isDashboardPath(path: string): boolean {
  if (path !== dashboardPath && !path.startsWith(`${dashboardPath}/`)) return false;
  return !others.some((other) => path === other || path.startsWith(`${other}/`));
}

/**
 * A page of ours that `text` names, or the first one: never another host's, however it is spelt. A browser takes `\` for `/`
 * and drops control characters, so that what begins with two slashes may look as if it did not.
 */
export function ownPage(text: string | null, origin: string): string {
  const home = `${dashboardPath}/`;
  if (text === null || !/^\/[\x21-\x5b\x5d-\x7e]*$/.test(text) || !URL.canParse(text, origin)) return home;
  const url = new URL(text, origin);
  const isOwn = url.origin === origin && isDashboardPath(url.pathname) && !url.pathname.startsWith(assetsPath);
  if (!isOwn || url.pathname === signInPath) return home;
  return url.pathname + url.search;
}

/** An address under the dashboard, its parts made safe for a path. */
export function pageAt(strings: TemplateStringsArray, ...parts: (string | number)[]): string {
  const path = strings.reduce((before, text, index) => before + encodeURIComponent(parts[index - 1] ?? "") + text);
  return `${dashboardPath}${path}`;
}
