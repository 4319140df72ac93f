/** In by a token, and out again. */
import { ownPage, signInPath } from "./address.ts";
import { type Call, type Caller, createApi } from "./api.ts";
import { renderDoor } from "./layout.tsx";
import { longestToken, type Session, type Sessions } from "./session.ts";

export interface Door {
  /** Above the form: why one stands here. */
  message?: string;
  error?: string;
  tenant?: string;
  to: string;
  /** Whether the tenant has to be said. */
  hasTenants: boolean;
}

const tenantErrors: Readonly<Record<string, string>> = {
  tenant_required: "This host serves several tenants: say which one.",
  tenant_not_found: "There is no such tenant.",
};

export function renderSignIn({ message, error, tenant = "", to, hasTenants }: Door): string {
  const isOfTenant = hasTenants && Object.values(tenantErrors).includes(error ?? "");
  return renderDoor(
    "Sign in",
    <>
      <h1>Sign in</h1>
      {message && <p role="status">{message}</p>}
      <form method="post" action={signInPath}>
        <input type="hidden" name="to" value={to} />
        <div class="field">
          <label for="token">Token</label>
          <p class="hint" id="token-hint">
            The deployment’s ADMIN_TOKEN, or one that was made under Tokens.
          </p>
          {!isOfTenant && <Fault id="token-error" words={error} />}
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            aria-describedby={error && !isOfTenant ? "token-error token-hint" : "token-hint"}
            aria-invalid={error && !isOfTenant ? "true" : undefined}
          />
        </div>
        {hasTenants && (
          <div class="field">
            <label for="tenant">Tenant</label>
            <p class="hint" id="tenant-hint">
              Empty for the one whose host this is.
            </p>
            {isOfTenant && <Fault id="tenant-error" words={error} />}
            <input
              id="tenant"
              name="tenant"
              value={tenant}
              autocomplete="organization"
              aria-describedby={isOfTenant ? "tenant-error tenant-hint" : "tenant-hint"}
              aria-invalid={isOfTenant ? "true" : undefined}
            />
          </div>
        )}
        <button type="submit" class="primary">
          Sign in
        </button>
      </form>
    </>,
  );
}

function Fault({ id, words }: { id: string; words: string | undefined }) {
  return words ? (
    <p class="error" id={id} role="alert">
      {words}
    </p>
  ) : null;
}

export type SignedIn = { session: Session; to: string } | { error: string; status: number };

/** @param form what was posted; whether the token is one, the API says */
export async function signIn(form: URLSearchParams, call: Call, sessions: Sessions, origin: string): Promise<SignedIn> {
  const token = (form.get("token") ?? "").trim();
  if (token === "") return { error: "Give a token.", status: 400 };
  if (token.length > longestToken || !/^[\x21-\x7e]+$/.test(token)) {
    return { error: `A token is at most ${longestToken} characters of ASCII, without spaces.`, status: 400 };
  }
  const outcome = await askWho(call, token, (form.get("tenant") ?? "").trim() || null);
  if (!outcome.ok) return { error: errorOf(outcome.refusal), status: outcome.refusal.status };
  return { session: sessions.begin(token, outcome.body.tenant), to: ownPage(form.get("to"), origin) };
}

export function askWho(call: Call, token: string, tenant: string | null) {
  return createApi(call, { token, tenant }).send<Caller>("GET", "/caller");
}

function errorOf({ code, message }: { code: string; message: string }): string {
  if (code === "invalid_token") return "This token lets nobody in here: it is mistyped, revoked or has expired.";
  if (code === "insufficient_scope")
    return "This token may not look at anything: it lacks the scope read:experimentation.";
  return tenantErrors[code] ?? message;
}
