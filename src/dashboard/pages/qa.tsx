/** Links that force each variation, to be followed or read off the screen by a phone. */

import { segmentAllocations } from "../../model/experiment.ts";
import type { PresentedExperiment } from "../../model/present-experiment.ts";
import { pageAt } from "../address.ts";
import { allocationNames, variationsOn } from "../lookups.ts";
import { nameIn } from "../parts/allocation.tsx";
import { Copy } from "../parts/facts.tsx";
import { Head } from "../parts/head.tsx";
import { Qr } from "../parts/qr.tsx";
import { Status } from "../parts/status.tsx";
import type { Handler, Visit } from "../visit.ts";

interface Link {
  name: string;
  note?: string;
  url: string;
}

/** What the tenant's log-in is reached at, as far as the settings tell. */
function usualAddress({ url, tenant: { hosts } }: Visit): string {
  const host = hosts.find((pattern) => !pattern.includes("*"));
  return host === undefined ? `${url.origin}/` : `${url.protocol}//${host}/`;
}

function parseAddress(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === "https:" || url.protocol === "http:" ? url : null;
}

export const qa: Handler = async (visit) => {
  const { searchParams } = visit.url;
  const { items } = await visit.api.all<PresentedExperiment>("/experiments", "experiments", 100);
  const wanted = searchParams.get("experiment");
  const chosen = wanted
    ? (items.find(({ id }) => id === wanted) ??
      (await visit.api.find<PresentedExperiment>(`/experiments/${encodeURIComponent(wanted)}`)))
    : (items.find(({ status }) => status === "active") ?? items[0]);
  const at = searchParams.get("at")?.trim() || usualAddress(visit);
  const address = parseAddress(at);
  const body = (
    <>
      <Head title="Try it out">
        <p class="lead quiet">
          Each link shows one variation, whatever the experiment’s state, until that log-in is completed. Nobody who
          comes by one is counted.
        </p>
      </Head>
      {items.length === 0 ? (
        <p>
          There is no experiment yet: <a href={pageAt`/experiments/new`}>make one</a>.
        </p>
      ) : (
        <form class="edit">
          <div class="field">
            <label for="experiment">Experiment</label>
            <select id="experiment" name="experiment">
              {(chosen && !items.includes(chosen) ? [chosen, ...items] : items).map(({ id, name, status }) => (
                <option value={id} selected={id === chosen?.id}>{`${name} (${status})`}</option>
              ))}
            </select>
          </div>
          <div class="field">
            <label for="at">Page</label>
            <p class="hint" id="at-hint">
              The page of yours that begins a log-in, or the authorize request it makes, as an address.
            </p>
            {address === null && (
              <p class="error" id="at-error">
                must be an address that begins with https:// or http://
              </p>
            )}
            <input
              id="at"
              name="at"
              value={at}
              inputmode="url"
              aria-describedby={address === null ? "at-error at-hint" : "at-hint"}
              aria-invalid={address === null ? "true" : undefined}
            />
          </div>
          <p>
            <button type="submit">Make the links</button>
          </p>
        </form>
      )}
      {chosen && address && <Links links={await linksTo(visit, chosen, address)} visit={visit} experiment={chosen} />}
    </>
  );
  return { title: "Try it out", body };
};

async function linksTo(visit: Visit, experiment: PresentedExperiment, address: URL): Promise<Link[]> {
  const isSigned = visit.tenant.overrides === "signed";
  const [variations, names] = await Promise.all([
    variationsOn(visit.api, experiment.feature_flag_id),
    allocationNames(visit.api, [experiment]),
  ]);
  const link = async (name: string, target: { variation?: string; segment?: string }, note?: string): Promise<Link> => {
    const url = new URL(address);
    for (const old of ["variation_id", "segment_id", "override_token"]) url.searchParams.delete(old);
    url.searchParams.set("experiment_id", experiment.id);
    if (target.variation !== undefined) url.searchParams.set("variation_id", target.variation);
    if (target.segment !== undefined) url.searchParams.set("segment_id", target.segment);
    if (isSigned) url.searchParams.set("override_token", await visit.signOverride(experiment.id, target));
    return { name, url: url.href, ...(note === undefined ? {} : { note }) };
  };
  const isControl = (id: string) =>
    experiment.allocations.some(({ variation_id, is_control }) => is_control && variation_id === id);
  const isAllocated = (id: string) => experiment.allocations.some(({ variation_id }) => variation_id === id);
  return Promise.all([
    ...variations.map(({ id, name }) =>
      link(name, { variation: id }, isControl(id) ? "control" : isAllocated(id) ? undefined : "in no allocation"),
    ),
    ...segmentAllocations(experiment).flatMap(({ segment_id, variation_id }) =>
      segment_id === undefined
        ? []
        : [
            link(
              `As in “${nameIn(names, segment_id)}”`,
              { segment: segment_id },
              `gets ${nameIn(names, variation_id)}`,
            ),
          ],
    ),
  ]);
}

function Links({
  links,
  visit,
  experiment,
}: {
  links: readonly Link[];
  visit: Visit;
  experiment: PresentedExperiment;
}) {
  if (visit.tenant.overrides === "off") {
    return (
      <p class="notice warn">This tenant’s policy is that nothing can be forced: overrides is “off” in its settings.</p>
    );
  }
  const targetOf = (url: string) => {
    const { searchParams } = new URL(url);
    return searchParams.get("variation_id") ?? searchParams.get("segment_id") ?? "";
  };
  // One at a time: twenty would be more than all the rest of the page.
  const isShown = (url: string) => visit.url.searchParams.get("code") === targetOf(url);
  const codeOf = (url: string) => {
    const query = new URLSearchParams(visit.url.searchParams);
    query.set("code", targetOf(url));
    return `${pageAt`/qa`}?${query}`;
  };
  return (
    <section aria-labelledby="links">
      <h2 id="links">
        <a href={pageAt`/experiments/${experiment.id}`}>{experiment.name}</a>
      </h2>
      <p class="quiet">
        <Status of={experiment.status} />
        {visit.tenant.overrides === "signed" && " · The links are signed, and good for an hour."}
      </p>
      {links.map(({ name, note, url }) => (
        <article class="override">
          <h3>
            {name}
            {note && <span class="quiet"> ({note})</span>}
          </h3>
          <p>
            <a href={url} class="code" rel="noreferrer">
              {url}
            </a>
          </p>
          <div class="actions">
            <Copy text={url} words="Copy the link" />
            {!isShown(url) && (
              <a href={codeOf(url)}>
                QR code<span class="unseen"> of {name}</span>
              </a>
            )}
          </div>
          {isShown(url) && <Qr text={url} label={`QR code of the link to ${name}`} />}
        </article>
      ))}
      <p class="quiet">
        To leave a forced variation: <code>?experiment_id=</code>, empty, on any page.
      </p>
    </section>
  );
}
