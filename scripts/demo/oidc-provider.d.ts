/** The part of `oidc-provider` the demo uses; the package carries no types of its own. */
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  /** What a source function (an own page for log-out, an error) gets: Koa's context, as far as it is used here. */
  export interface PageContext {
    type: string;
    body: unknown;
    readonly req: IncomingMessage;
    readonly oidc: {
      readonly client?: { readonly clientId: string };
      readonly session?: { readonly accountId?: string };
      readonly result?: { readonly consent?: { readonly grantId?: string } };
      readonly requestParamOIDCScopes: ReadonlySet<string>;
    };
  }

  export interface Grant {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    readonly uid: string;
    readonly prompt: { readonly name: string; readonly reasons: readonly string[] };
    readonly params: { readonly client_id?: string; readonly login_hint?: string };
  }

  export interface Account {
    accountId: string;
    claims(use: string, scope: string): { sub: string } & Record<string, unknown>;
  }

  export interface Configuration {
    clients: ({ client_id: string } & Record<string, unknown>)[];
    findAccount(context: PageContext, sub: string): Promise<Account | undefined>;
    loadExistingGrant(context: PageContext): Promise<Grant | undefined>;
    renderError(context: PageContext, out: { error: string; error_description?: string }): Promise<void>;
    [setting: string]: unknown;
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    /** Whether X-Forwarded-Host and X-Forwarded-Proto are believed. */
    proxy: boolean;
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    /** Keeps the outcome and answers the address to send the browser to. */
    interactionResult(request: IncomingMessage, response: ServerResponse, result: object): Promise<string>;
    readonly Grant: new (properties: {
      clientId: string;
      accountId: string;
    }) => Grant;
  }

  export namespace interactionPolicy {
    class Prompt {
      constructor(options: { name: string; requestable: boolean });
    }
    function base(): Prompt[] & { add(prompt: Prompt, index?: number): void };
  }

  export namespace errors {
    class SessionNotFound extends Error {}
  }
}
