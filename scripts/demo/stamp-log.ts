/** The last stamped requests, as the origin saw them, at `/demo/stamps`. */
import { html, type Markup, renderPage } from "./page.ts";
import type { StampedExperiment, StampReading } from "./stamp.ts";

const kept = 50;

export interface StampRecord {
  at: string;
  method: string;
  path: string;
  stamp: StampReading;
}

export interface StampLog {
  /** Requests without any stamp are not kept; of the address only the path, for the query may carry codes. */
  add(method: string, path: string, stamp: StampReading): void;
  /** The latest first. */
  list(): readonly StampRecord[];
}

export function createStampLog(): StampLog {
  const records: StampRecord[] = [];
  return {
    add(method, path, stamp) {
      if (stamp.kind === "none") return;
      records.unshift({ at: new Date().toISOString(), method, path, stamp });
      records.length = Math.min(records.length, kept);
    },
    list: () => records,
  };
}

/** The small closed box at the foot of every page. */
export function stampDetails(stamp: StampReading): Markup {
  return html`<details>
<summary>What Vestibule stamped</summary>
${explain(stamp)}
<p><a href="/demo/stamps">The last stamped requests</a></p>
</details>`;
}

export function renderStamps(records: readonly StampRecord[]): Promise<string> {
  const rows = records.flatMap(({ at, method, path, stamp }) =>
    valuesOf(stamp).map(
      ([experiment, variation, segment, control, how, config, token]) => html`<tr>
<td>${at.slice(11, 23)}</td><td>${method}</td><td>${shorten(path)}</td><td>${experiment}</td><td>${variation}</td><td>${segment}</td>
<td>${control}</td><td>${how}</td><td>${token}</td><td>${config}</td></tr>`,
    ),
  );
  return renderPage({
    title: "Stamped requests",
    layout: "wide",
    main: html`<h1>Stamped requests</h1>
<p class="muted">What the identity provider received through Vestibule: the last ${kept} requests with a stamp, the latest
first, times in UTC. With <code>Accept: application/json</code> this address answers the same as data.</p>
${
  rows.length === 0
    ? html`<p>None so far. Start a sign-in, then come back.</p>`
    : html`<div class="scroll" tabindex="0" role="region" aria-label="Stamped requests"><table class="list">
<thead><tr><th scope="col">Time</th><th scope="col">Method</th><th scope="col">Path</th><th scope="col">Experiment</th>
<th scope="col">Variation</th><th scope="col">Segment</th><th scope="col">Control</th><th scope="col">How</th>
<th scope="col">Token</th><th scope="col">Parameters</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}`,
  });
}

/** An interaction's long random id says nothing to people; as data the path is whole. */
const shorten = (path: string) => path.replaceAll(/([\w-]{6})[\w-]{26,}/g, "$1…");

const parametersOf = ({ config }: StampedExperiment) =>
  config === undefined ? "left out: too large for the headers" : JSON.stringify(config);

function explain(stamp: StampReading): Markup {
  switch (stamp.kind) {
    case "none":
      return html`<p>No stamp: this request reached the identity provider without one.</p>`;
    case "failed_open":
      return html`<p>No stamp: Vestibule failed open (${stamp.reason}), so this page is the plain one.</p>`;
    case "invalid":
      return html`<p>No stamp: one came, but it is not valid and counts for nothing (${stamp.problem}).</p>`;
    case "stamped":
      return html`<p>${stamp.verified ? "Verified: the token is signed with the shared key." : "Not verified: no key is set, the headers are believed."}</p>
${stamp.experiments.map(
  (experiment) => html`<table>
<tr><th scope="row">Experiment</th><td>${experiment.experiment_id}</td></tr>
<tr><th scope="row">Variation</th><td>${experiment.variation_id}</td></tr>
<tr><th scope="row">Segment</th><td>${experiment.segment_id ?? "none"}</td></tr>
<tr><th scope="row">Control</th><td>${String(experiment.control)}</td></tr>
<tr><th scope="row">Method</th><td>${experiment.method}</td></tr>
<tr><th scope="row">Parameters</th><td>${parametersOf(experiment)}</td></tr>
</table>`,
)}`;
  }
}

/** One row an experiment: experiment, variation, segment, control, method, parameters, token. */
function valuesOf(stamp: StampReading): string[][] {
  if (stamp.kind === "failed_open") return [["failed open", stamp.reason]];
  if (stamp.kind === "invalid") return [["", "", "", "", "", stamp.problem, "invalid"]];
  if (stamp.kind === "none") return [];
  return stamp.experiments.map((experiment) => [
    experiment.experiment_id,
    experiment.variation_id,
    experiment.segment_id ?? "",
    String(experiment.control),
    experiment.method,
    parametersOf(experiment),
    stamp.verified ? "verified" : "not verified",
  ]);
}
