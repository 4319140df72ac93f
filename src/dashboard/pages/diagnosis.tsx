/** What is wrong with an experiment and what to do about it, the worst first. */
import type { Outcome } from "../api.ts";
import type { Check, CheckStatus, Diagnosis } from "../evidence.ts";
import { counted, reading } from "../parts/reader.tsx";
import { Icon, type Shape } from "../parts/status.tsx";
import { Lacks } from "./results.tsx";

const shapes: Readonly<Record<CheckStatus, readonly [Shape, string]>> = {
  fail: ["fail", "wrong"],
  warn: ["warn", "look at it"],
  insufficient_data: ["unknown", "too little data"],
  pass: ["done", "well"],
  not_applicable: ["over", "not asked here"],
};
const order = Object.keys(shapes);

export function DiagnosisSection({ diagnosis }: { diagnosis: Outcome<Diagnosis> }) {
  return (
    <section aria-labelledby="diagnosis">
      <h2 id="diagnosis">Diagnosis</h2>
      {diagnosis.ok ? <Checks of={diagnosis.body} /> : <p>{diagnosis.refusal.message}</p>}
    </section>
  );
}

function Checks({ of }: { of: Diagnosis }) {
  const all = [...of.srm, ...of.traffic, ...of.setup];
  // What accounts for the rest comes first; of the same status they stay in their order.
  const sorted = all.toSorted(
    (a, b) =>
      Number(b.id === of.leading) - Number(a.id === of.leading) || order.indexOf(a.status) - order.indexOf(b.status),
  );
  const wrong = sorted.filter(({ status }) => status === "fail" || status === "warn");
  const rest = sorted.filter(({ status }) => status !== "fail" && status !== "warn");
  return (
    <>
      <Lacks of={of.partial} />
      {wrong.length === 0 ? (
        <p>
          <Icon shape="done" /> Nothing was found that is wrong.
        </p>
      ) : (
        <ol class="checks">
          {wrong.map((check) => (
            <li>
              <CheckItem check={check} isLeading={check.id === of.leading} />
            </li>
          ))}
        </ol>
      )}
      <details>
        <summary>{counted(reading(), rest.length, "check")} that found nothing</summary>
        <ul class="checks">
          {rest.map((check) => (
            <li>
              <CheckItem check={check} />
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function CheckItem({ check, isLeading = false }: { check: Check; isLeading?: boolean }) {
  const [shape, words] = shapes[check.status];
  const counts = Object.entries({ ...check.evidence, ...check.threshold });
  return (
    <>
      <p>
        <Icon shape={shape} /> <strong>{check.title}</strong> <span class="quiet">{words}</span>
        {isLeading && <span class="quiet">: begin here</span>}
      </p>
      <p>{check.detail}</p>
      {check.fix && (
        <p>
          <span class="quiet">What to do:</span> {check.fix}
        </p>
      )}
      {counts.length > 0 && (
        <details>
          <summary>The numbers</summary>
          <dl class="facts">
            {counts.flatMap(([name, value]) => [
              <dt>{name.replaceAll("_", " ")}</dt>,
              <dd>
                <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
              </dd>,
            ])}
          </dl>
        </details>
      )}
    </>
  );
}
