/** Path patterns of presets and tenants. */
export function compilePathPattern(pattern: string): (path: string) => boolean {
  const source = pattern.split("/").slice(1);
  let expression = "^";
  for (const [index, segment] of source.entries()) {
    const last = index === source.length - 1;
    if (segment === "**") expression += last ? "(?:/.*)?" : "(?:/[^/]+)*";
    else expression += `/${segment.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}`;
  }
  const compiled = new RegExp(`${expression}/?$`, "i");
  return (path) => path.length <= 2048 && compiled.test(path);
}
export function normalizePath(pathname: string): string {
  return pathname;
}
