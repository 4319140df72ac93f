/** What can be told of a request to the management API before it is read. */
export const managementPath = "/api/v2/experimentation";

export function isManagementPath(path: string): boolean {
  return path === managementPath || path.startsWith(`${managementPath}/`);
}

export function isRead({ method }: Pick<Request, "method">): boolean {
  return method === "GET" || method === "HEAD";
}
