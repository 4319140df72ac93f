/** What is said of a request whose answer cannot be had, here and by those who pass requests on to here. */
import { Problem, problems } from "../../model/problem.ts";

const code = "control_unavailable";

export const unreachableStatus = problems[code].status;

export function unreachable(method: string): Problem {
  const isRead = method === "GET" || method === "HEAD";
  return new Problem(code, isRead ? undefined : "It may have been done: look first.");
}
