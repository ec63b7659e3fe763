import { AUTH0 } from './auth0.js';
import { AUTHENTIK } from './authentik.js';
import { DESCOPE } from './descope.js';
import { ENTRA } from './entra.js';
import { KEYCLOAK } from './keycloak.js';
import { OKTA } from './okta.js';
import { type Provider, STANDARD } from './provider.js';

/** Every kind of authorization server that a policy's `provider` may name. */
export const PROVIDERS = Object.freeze({
  standard: STANDARD,
  keycloak: KEYCLOAK,
  auth0: AUTH0,
  okta: OKTA,
  entra: ENTRA,
  authentik: AUTHENTIK,
  descope: DESCOPE,
} satisfies Record<string, Provider>);

/** A key of {@link PROVIDERS}. */
export type ProviderName = keyof typeof PROVIDERS;
