import type { JWK } from 'jose';
import type { Configuration, interactionPolicy } from 'oidc-provider';
import { printableAscii } from '../../core/printable.js';
import type { DevIssuerStore } from './dev-issuer-store.js';
import { allScopesOf, type DevResource, scopesFor } from './dev-resource.js';
import { renderErrorPage } from './error-page.js';
import type { OidcProvider } from './load-oidc-provider.js';
import type { SealedClients } from './sealed-clients.js';

export interface ConfigurationParts {
  readonly library: OidcProvider;
  readonly key: JWK;
  readonly resources: readonly DevResource[];
  /** Lifetime of an access token. */
  readonly tokenSeconds: number;
  readonly clients: SealedClients;
  readonly store: DevIssuerStore;
  /** The keys that sign the cookies of logins in progress. */
  readonly cookieKeys: readonly string[];
}

const DAY_SECONDS = 86_400;

/** Builds the configuration of oidc-provider. */
export function configure(parts: ConfigurationParts) {
  const { library, key, resources, tokenSeconds, clients, store, cookieKeys } = parts;
  return {
    adapter: store.adapter,
    cookies: { keys: [...cookieKeys] },
    jwks: { keys: [key] },
    scopes: ['openid', 'offline_access', ...allScopesOf(resources)],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    // Clients of MCP 2025-03-26 register with few members; most are programs on this machine.
    clientDefaults: {
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      id_token_signed_response_alg: 'ES256',
    },
    renderError: renderErrorPage,
    responseTypes: ['code'],
    pkce: { required: () => true },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    // Sessions end with the process; refresh tokens survive a restart.
    expiresWithSession: () => false,
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    ttl: {
      AccessToken: tokenSeconds,
      Grant: DAY_SECONDS,
      IdToken: tokenSeconds,
      Interaction: 1_800,
      RefreshToken: DAY_SECONDS,
      Session: DAY_SECONDS,
    },
    interactions: { policy: askEveryTime(library), url: (_ctx, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true, issueRegistrationAccessToken: false, ...clientIds(clients) },
      revocation: { enabled: true },
      resourceIndicators: resourceIndicators(library, resources, tokenSeconds),
    },
  } satisfies Configuration;
}

function resourceIndicators(library: OidcProvider, resources: readonly DevResource[], tokenSeconds: number) {
  const [first] = resources;
  return {
    enabled: true,
    defaultResource: () => (first ? [first.resource] : []),
    useGrantedResource: () => true,
    getResourceServerInfo(_ctx: unknown, indicator: string) {
      const scopes = scopesFor(resources, indicator);
      if (scopes === undefined) throw new library.errors.InvalidTarget(unknownResource(indicator, resources));
      const token = { accessTokenFormat: 'jwt', accessTokenTTL: tokenSeconds } as const;
      return { scope: scopes.join(' '), audience: indicator, ...token };
    },
  };
}

const MAX_INDICATOR_LENGTH = 120;

function unknownResource(indicator: string, resources: readonly DevResource[]): string {
  const served = resources.map(({ resource }) => resource).join(' and ');
  return `asked for ${printableAscii(indicator, MAX_INDICATOR_LENGTH)}; this issuer serves ${served} only`;
}

/** The argument that oidc-provider passes to `idFactory`. Its types leave out the registration. */
type RegistrationContext = { readonly oidc: { readonly body?: Record<string, unknown> } };

function clientIds(clients: SealedClients) {
  const ids = new WeakMap<object, string>();
  return {
    idFactory(ctx: unknown) {
      const { body } = (ctx as RegistrationContext).oidc;
      // Clients may register with scopes that this issuer does not know, which oidc-provider would refuse.
      if (body !== undefined) delete body.scope;
      const id = clients.close(body);
      ids.set(ctx as object, id);
      return id;
    },
    secretFactory: (ctx: unknown) => clients.secretOf(ids.get(ctx as object) ?? ''),
  };
}

/** Asks for a click at every login: any page in this browser can start one, and would get a token for this machine's tools. */
function askEveryTime({ interactionPolicy }: OidcProvider): interactionPolicy.DefaultPolicy {
  const policy = interactionPolicy.base();
  const { Check, Prompt } = interactionPolicy;
  const check = new Check('no_click', 'The developer has to agree', (ctx) =>
    ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  policy.get('login')?.checks.add(check);
  // Copilot CLI asks for select_account. There is only one account, and the same click selects it.
  policy.add(new Prompt({ name: 'select_account', requestable: true }));
  return policy;
}
