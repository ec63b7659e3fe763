import { AUTH0 } from './auth0.js';
import { AUTHENTIK } from './authentik.js';
import { CLERK } from './clerk.js';
import { COGNITO } from './cognito.js';
import { DESCOPE } from './descope.js';
import { ENTRA } from './entra.js';
import { KEYCLOAK } from './keycloak.js';
import { OKTA } from './okta.js';
import type { Provider } from './provider.js';
import { createProvider, type ProviderKind } from './provider-kind.js';
import { ZITADEL } from './zitadel.js';

/** A server as RFC 8414 and RFC 8707 describe it. */
const STANDARD_KIND: ProviderKind = Object.freeze({ switches: Object.freeze({}) });

/** Every kind of authorization server that a policy's `provider` may name. */
export const PROVIDER_KINDS = Object.freeze({
  standard: STANDARD_KIND,
  keycloak: KEYCLOAK,
  auth0: AUTH0,
  okta: OKTA,
  entra: ENTRA,
  authentik: AUTHENTIK,
  descope: DESCOPE,
  cognito: COGNITO,
  clerk: CLERK,
  zitadel: ZITADEL,
} satisfies Record<string, ProviderKind>);

/** A key of {@link PROVIDER_KINDS}. */
export type ProviderName = keyof typeof PROVIDER_KINDS;

export const PROVIDER_NAMES = Object.freeze(Object.keys(PROVIDER_KINDS)) as readonly ProviderName[];

/** Each kind, with its own switches. */
export const PROVIDERS = Object.freeze(
  Object.fromEntries(PROVIDER_NAMES.map((name) => [name, createProvider(PROVIDER_KINDS[name])])),
) as Readonly<Record<ProviderName, Provider>>;
