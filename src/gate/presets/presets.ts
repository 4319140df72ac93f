/** The presets by the tenant's setting `provider`. */
import type { ProviderName } from "../../model/provider.ts";
import { auth0 } from "./auth0.ts";
import { cognito } from "./cognito.ts";
import { entra } from "./entra.ts";
import { fusionauth } from "./fusionauth.ts";
import { keycloak } from "./keycloak.ts";
import { oidc } from "./oidc.ts";
import { okta } from "./okta.ts";
import { ory } from "./ory.ts";
import type { Preset } from "./preset.ts";
import { saml } from "./saml.ts";
import { zitadel } from "./zitadel.ts";

export const presets: Readonly<Record<ProviderName, Preset>> = {
  oidc,
  auth0,
  keycloak,
  cognito,
  okta,
  entra,
  ory,
  zitadel,
  fusionauth,
  saml,
};
