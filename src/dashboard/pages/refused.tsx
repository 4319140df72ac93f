/** Pages that say no, and what to do about it. */
import { dashboardPath } from "../address.ts";
import type { Refusal } from "../api.ts";
import type { Page } from "../visit.ts";

export function missingPage(message = "There is nothing at this address."): Page {
  const body = (
    <>
      <h1>Not found</h1>
      <p>{message}</p>
      <p>
        <a href={`${dashboardPath}/`}>To the overview</a>
      </p>
    </>
  );
  return { title: "Not found", body, status: 404 };
}

const titles: Readonly<Record<number, string>> = {
  403: "Not allowed",
  409: "That does not go together",
  429: "Too many requests",
  503: "Not to be reached",
};

export function refusedPage({ status, message }: Refusal): Page {
  const title = titles[status] ?? "That was refused";
  const body = (
    <>
      <h1>{title}</h1>
      <p role="alert">{message}</p>
      <p>
        {status === 429 || status === 503 ? "Wait a moment, then load this page again. " : ""}
        <a href={`${dashboardPath}/`}>To the overview</a>
      </p>
    </>
  );
  return { title, body, status };
}

export function failedPage(reference: string) {
  return (
    <>
      <h1>Something failed on our side</h1>
      <p>
        The Worker’s log has it under <code>{reference}</code>. Log-ins go on without this page.
      </p>
      <p>
        <a href={`${dashboardPath}/`}>To the overview</a>
      </p>
    </>
  );
}
