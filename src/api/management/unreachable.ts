/** What is said of a request whose answer cannot be had, here and by those who pass requests on to here. */
import { Problem, problems } from "../../model/problem.ts";
import { isRead } from "./address.ts";

const code = "control_unavailable";

export const unreachableStatus = problems[code].status;

export function unreachable(request: Pick<Request, "method">): Problem {
  return new Problem(code, isRead(request) ? undefined : "It may have been done: look first.");
}
