/** What an experiment has come to: numbers first, then how they came about. */
import type { ChangeView } from "../../model/change.ts";
import type { Outcome } from "../api.ts";
import type { Rate, Report, VariationResult, Verdict } from "../evidence.ts";
import { Swatch, toneOf } from "../parts/allocation.tsx";
import { verbOf } from "../parts/change-line.tsx";
import { Intervals } from "../parts/intervals.tsx";
import { Table } from "../parts/list.tsx";
import { type Mark, Plot, pText } from "../parts/plot.tsx";
import { Count, Moment, numberText, Percent, percentText, reading } from "../parts/reader.tsx";
import { Icon, type Shape } from "../parts/status.tsx";
import { courseOf } from "../series.ts";

const verdicts: Readonly<Record<Verdict, readonly [Shape, string]>> = {
  green: ["done", "The split is as it should be"],
  yellow: ["warn", "The split is somewhat off: watch it"],
  red: ["fail", "Sample ratio mismatch: do not trust the comparison"],
  not_enough_data: ["unknown", "Too early to say whether the split is as it should be"],
  not_applicable: ["unknown", "No chance is involved: segments decide who gets what"],
};

export function SplitVerdict({ of: { srm } }: { of: Report }) {
  const [shape, words] = verdicts[srm.verdict];
  const isTested = srm.verdict !== "not_enough_data" && srm.verdict !== "not_applicable";
  return (
    <p>
      <Icon shape={shape} /> {words}
      {isTested && (
        <span class="quiet">
          : chi-square p {pText(srm.chi_square.p)}, sequential p {pText(srm.sequential.p)}, at most{" "}
          <Count of={srm.deviation * 100} digits={2} /> points off its share
        </span>
      )}
    </p>
  );
}

interface ResultsProps {
  report: Outcome<Report>;
  changes: readonly ChangeView[];
  nowMs: number;
}

export function Results({ report, changes, nowMs }: ResultsProps) {
  return (
    <section aria-labelledby="results">
      <h2 id="results">Results</h2>
      {report.ok ? <Found report={report.body} changes={changes} nowMs={nowMs} /> : <p>{report.refusal.message}</p>}
    </section>
  );
}

function Found({ report, changes, nowMs }: { report: Report; changes: readonly ChangeView[]; nowMs: number }) {
  const { variations, warnings, partial, excluded, as_of } = report;
  const units = variations.reduce((sum, { assignments }) => sum + assignments, 0);
  if (units === 0 && report.hours.length === 0) {
    return (
      <>
        <p>Nobody is counted yet. Whoever comes from now on is, some seconds later; forced visits never are.</p>
        <Lacks of={partial} />
      </>
    );
  }
  const notCounted = Object.entries(excluded).filter(([, count]) => count > 0);
  return (
    <>
      <SplitVerdict of={report} />
      <Numbers variations={variations} />
      <Rates variations={variations} />
      <ul class="lines quiet">
        {warnings.map((warning) => (
          <li>{warning}</li>
        ))}
        {notCounted.length > 0 && (
          <li>
            In no statistics: {notCounted.map(([why, count]) => `${numberText(reading(), count)} ${why}`).join(", ")}.
          </li>
        )}
        <li>
          As of <Moment at={as_of} seconds />
        </li>
      </ul>
      <Lacks of={partial} />
      <Funnel variations={variations} />
      <Course report={report} changes={changes} nowMs={nowMs} />
    </>
  );
}

export function Lacks({ of }: { of: Report["partial"] }) {
  return (
    <>
      {of.map(({ detail }) => (
        <p class="notice warn">{detail}</p>
      ))}
    </>
  );
}

function Numbers({ variations }: { variations: readonly VariationResult[] }) {
  return (
    <Table
      label="By variation"
      items={variations.map((one, place) => ({ ...one, place }))}
      columns={[
        {
          head: "Variation",
          cell: ({ name, is_control, place }) => (
            <>
              <Swatch place={place} /> {name}
              {is_control && <span class="quiet"> (control)</span>}
            </>
          ),
        },
        { head: "Share", cell: ({ share }) => (share === null ? "" : <Percent of={share} />), isNumber: true },
        { head: "Assigned", cell: ({ assignments }) => <Count of={assignments} />, isNumber: true },
        { head: "Exposed", cell: ({ exposures }) => <Count of={exposures} />, isNumber: true },
        { head: "Log-ins", cell: ({ logins }) => <Count of={logins} />, isNumber: true },
        { head: "Sign-ups", cell: ({ signups }) => <Count of={signups} />, isNumber: true },
        { head: "Failures", cell: ({ failures }) => <Count of={failures} />, isNumber: true },
        { head: "Pass-throughs", cell: ({ pass_throughs }) => <Count of={pass_throughs} />, isNumber: true },
      ]}
    />
  );
}

function Rates({ variations }: { variations: readonly VariationResult[] }) {
  return (
    <figure class="rates">
      <figcaption>
        <strong>Log-in rate</strong>
        <span class="quiet"> of all that were assigned, with 95% intervals that hold whenever one looks.</span>
      </figcaption>
      <Intervals rows={variations.map(({ name, rates }) => ({ name, rate: rates.login }))} />
      <Table
        label="Log-in rate"
        items={variations.map((one, place) => ({ ...one, place }))}
        columns={[
          {
            head: "Variation",
            cell: ({ name, place }) => (
              <>
                <Swatch place={place} /> {name}
              </>
            ),
          },
          { head: "Rate", cell: ({ rates }) => <RateText of={rates.login} />, isNumber: true },
          { head: "From … to", cell: ({ rates }) => <Between {...rates.login} />, isNumber: true },
          {
            head: "Beyond the control, in points",
            cell: ({ rates }) => <Difference of={rates.login} />,
            isNumber: true,
          },
        ]}
      />
    </figure>
  );
}

function RateText({ of: { rate } }: { of: Rate }) {
  return rate === null ? <span class="quiet">none yet</span> : <Percent of={rate} digits={2} />;
}

function Between({ low, high }: Pick<Rate, "low" | "high">) {
  const reader = reading();
  if (low === null || high === null) return null;
  return (
    <span class="number">
      {percentText(reader, low, 2)} … {percentText(reader, high, 2)}
    </span>
  );
}

/** A difference whose interval holds zero is none that can be told from chance. */
function Difference({ of: { difference } }: { of: Rate }) {
  if (difference === null) return null;
  const { estimate, low, high } = difference;
  const isTold = low > 0 || high < 0;
  return (
    <>
      {estimate > 0 && "+"}
      <Count of={estimate * 100} digits={2} />
      <br />
      <span class="quiet">
        <Count of={low * 100} digits={2} /> … <Count of={high * 100} digits={2} />
        {isTold ? "" : ", may be chance"}
      </span>
    </>
  );
}

/** How many of the assigned got how far. */
function Funnel({ variations }: { variations: readonly VariationResult[] }) {
  const steps: readonly [string, (one: VariationResult) => number][] = [
    ["Assigned", ({ assignments }) => assignments],
    ["Exposed", ({ exposures }) => exposures],
    ["Logged in", ({ logins }) => logins],
  ];
  const most = Math.max(1, ...variations.map(({ assignments }) => assignments));
  return (
    <figure class="funnel">
      <figcaption>
        <strong>Funnel</strong>
        <span class="quiet"> from assigned to exposed to logged in.</span>
      </figcaption>
      <figure class="scroll" tabindex={0} aria-label="Funnel">
        <table>
          <thead>
            <tr>
              <th scope="col">Step</th>
              {variations.map(({ name }) => (
                <th scope="col">{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {steps.map(([step, count]) => (
              <tr>
                <th scope="row">{step}</th>
                {variations.map((one, place) => (
                  <td>
                    <svg viewBox="0 0 100 1" preserveAspectRatio="none" height="8" aria-hidden="true">
                      <rect class="rest" width="100" height="1" />
                      <rect class={toneOf(place)} width={((count(one) / most) * 100).toFixed(2)} height="1" />
                    </svg>
                    <Count of={count(one)} />{" "}
                    <span class="quiet">
                      {one.assignments > 0 && step !== "Assigned" && <Percent of={count(one) / one.assignments} />}
                    </span>
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </figure>
    </figure>
  );
}

function Course({ report, changes, nowMs }: { report: Report; changes: readonly ChangeView[]; nowMs: number }) {
  const { variations, epochs, hours } = report;
  const course = courseOf(
    hours,
    variations.map(({ variation_id }) => variation_id),
    epochs,
    nowMs,
  );
  if (course.at.length < 2) return <p class="quiet">Its course is drawn once there are two hours of it.</p>;
  const marks: Mark[] = changes.map((change) => ({
    at: Math.floor(Date.parse(change.at) / 1000),
    label: change.operation.replaceAll("_", " ") || verbOf(change),
  }));
  const lines = (values: readonly (readonly (number | null)[])[], suffix = "", isDashed = false) =>
    variations.map(({ name }, tone) => ({ label: name + suffix, values: values[tone] ?? [], tone, isDashed }));
  const hasShares = course.expected.some((line) => line.some((value) => value !== null));
  return (
    <>
      <Plot
        title="Assigned and exposed"
        lead="in all; exposures dashed, changes of the experiment as vertical lines."
        at={course.at}
        lines={[...lines(course.assigned, ", assigned"), ...lines(course.exposed, ", exposed", true)]}
        unit="count"
        marks={marks}
      />
      <Plot
        title="Share of the assigned"
        lead={hasShares ? "with what it should be, dashed." : "of each variation."}
        at={course.at}
        lines={[...lines(course.share), ...(hasShares ? lines(course.expected, ", expected", true) : [])]}
        unit="percent"
        marks={marks}
      />
      {hasShares && (
        <Plot
          title="p of the split"
          lead="by the sequential test, which may be looked at any time; below 0.01 something is wrong."
          at={course.at}
          lines={[{ label: "p", values: course.p, tone: 1 }]}
          unit="p"
          marks={marks}
          threshold={0.01}
        />
      )}
    </>
  );
}
