/** What is shown once, and never again. */
import { Copy } from "../parts/facts.tsx";
import { Head } from "../parts/head.tsx";
import type { Page } from "../visit.ts";

export interface Secret {
  title: string;
  under: readonly (readonly [string, string])[];
  lead: string;
  secret: string;
  next: readonly [string, string];
}

export function secretPage({ title, under, lead, secret, next: [href, words] }: Secret): Page {
  const body = (
    <>
      <Head title={title} under={under} />
      <div class="notice" role="status">
        <p>{lead}</p>
        <code class="secret">{secret}</code>
        <p>
          <Copy text={secret} />
        </p>
      </div>
      <p>
        <a href={href}>{words}</a>
      </p>
    </>
  );
  return { title, body };
}
