/** In by a token, and out again. */
import { ownPage, signInPath } from "./address.ts";
import { type Call, type Caller, createApi } from "./api.ts";
import { renderDoor } from "./layout.tsx";
import { longestToken, type Session, type Sessions } from "./session.ts";

export interface Door {
  /** Above the form: why one stands here. */
  message?: string;
  errors?: DoorErrors;
  tenant?: string;
  to: string;
  /** Whether the tenant has to be said. */
  hasTenants: boolean;
}

/** What is wrong with what was given, by field. */
export interface DoorErrors {
  token?: string;
  tenant?: string;
}

export function renderSignIn({ message, errors = {}, tenant = "", to, hasTenants }: Door): string {
  // Where there is no field of the tenant, what is wrong with it stands at the one there is.
  const ofTenant = hasTenants ? errors.tenant : undefined;
  const ofToken = errors.token ?? (hasTenants ? undefined : errors.tenant);
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
          <Fault id="token-error" words={ofToken} />
          <input
            id="token"
            name="token"
            type="password"
            autocomplete="current-password"
            spellcheck={false}
            required
            aria-describedby={ofToken ? "token-error token-hint" : "token-hint"}
            aria-invalid={ofToken ? "true" : undefined}
          />
        </div>
        {hasTenants && (
          <div class="field">
            <label for="tenant">Tenant</label>
            <p class="hint" id="tenant-hint">
              Empty for the one whose host this is.
            </p>
            <Fault id="tenant-error" words={ofTenant} />
            <input
              id="tenant"
              name="tenant"
              value={tenant}
              autocomplete="organization"
              aria-describedby={ofTenant ? "tenant-error tenant-hint" : "tenant-hint"}
              aria-invalid={ofTenant ? "true" : undefined}
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

export type SignedIn = { session: Session; to: string } | { errors: DoorErrors; status: number };

/** @param form what was posted; whether the token is one, the API says */
export async function signIn(form: URLSearchParams, call: Call, sessions: Sessions, origin: string): Promise<SignedIn> {
  const token = (form.get("token") ?? "").trim();
  if (token === "") return { errors: { token: "Give a token." }, status: 400 };
  if (token.length > longestToken || !/^[\x21-\x7e]+$/.test(token)) {
    const token = `A token is at most ${longestToken} characters of ASCII, without spaces.`;
    return { errors: { token }, status: 400 };
  }
  const outcome = await askWho(call, token, (form.get("tenant") ?? "").trim() || null);
  if (!outcome.ok) return { errors: errorsOf(outcome.refusal), status: outcome.refusal.status };
  return { session: sessions.begin(token, outcome.body.tenant), to: ownPage(form.get("to"), origin) };
}

export function askWho(call: Call, token: string, tenant: string | null) {
  return createApi(call, { token, tenant }).send<Caller>("GET", "/caller");
}

function errorsOf({ code, message }: { code: string; message: string }): DoorErrors {
  switch (code) {
    case "invalid_token":
      return { token: "This token lets nobody in here: it is mistyped, revoked or has expired." };
    case "insufficient_scope":
      return { token: "This token may not look at anything: it lacks the scope read:experimentation." };
    case "tenant_required":
      return { tenant: "This host serves several tenants: say which one." };
    case "tenant_not_found":
      return { tenant: "There is no such tenant." };
    default:
      return { token: message };
  }
}
