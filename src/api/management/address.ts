/** Where the management API is. */
export const managementPath = "/api/v2/experimentation";

export function isManagementPath(path: string): boolean {
  return path === managementPath || path.startsWith(`${managementPath}/`);
}
