/** The error of a request that the control plane did not answer, here and in the Workers that pass requests on to it. */
import { controlUnavailable } from "../../model/control-unavailable.ts";
import { isRead } from "./address.ts";

export const unreachableStatus = controlUnavailable.status;

/** What may be said beside the title: a write that was not answered may have been applied. */
export function unreachableDetail(request: Pick<Request, "method">): string | undefined {
  return isRead(request) ? undefined : "It may have been done: look first.";
}

export function unreachable(request: Pick<Request, "method">): { code: "control_unavailable"; message: string } {
  const detail = unreachableDetail(request);
  const { title } = controlUnavailable;
  return { code: "control_unavailable", message: detail === undefined ? title : `${title} ${detail}` };
}
