import { canParseUrl } from '../http/can-parse-url.js';
import { stringsIn } from '../http/json-object.js';
import { wellKnownJwksUrl } from '../providers/provider.js';
import { PROVIDERS, type ProviderName } from '../providers/providers.js';
import { type Finding, reporterFor } from './finding.js';
import { KNOWN_CLIENTS, type KnownClient } from './known-clients.js';

type Metadata = Readonly<Record<string, unknown>>;

/** A request of some clients that a server may refuse. */
interface ClientProblem {
  /** The metadata that shows the refusal; undefined if there is none, and so nothing to warn of. */
  readonly seen: (metadata: Metadata, provider: ProviderName | undefined) => string | undefined;
  readonly isAffected: (client: KnownClient) => boolean;
  readonly affects: string;
  readonly fix: string;
}

const lacks = (metadata: Metadata, member: string, value: string): string | undefined => {
  const listed = metadata[member];
  return Array.isArray(listed) && !stringsIn(listed).includes(value) ? `${member} does not list "${value}"` : undefined;
};

const announcesOffline = (metadata: Metadata) => stringsIn(metadata.scopes_supported).includes('offline_access');
const KEYCLOAK_FIX = 'Set provider: { keycloak: {} }, or change the client registration policies of the realm.';

const CLIENT_PROBLEMS: readonly ClientProblem[] = [
  ...(['consent', 'select_account'] as const).map(
    (prompt): ClientProblem => ({
      seen: (metadata) => (announcesOffline(metadata) ? lacks(metadata, 'prompt_values_supported', prompt) : undefined),
      isAffected: ({ prompts }) => prompts.includes(prompt),
      affects: `They log in with prompt=${prompt}, which may be refused`,
      fix: `Allow prompt=${prompt}, or leave offline_access out of scopes_supported.`,
    }),
  ),
  {
    seen: (metadata) =>
      announcesOffline(metadata) && lacks(metadata, 'grant_types_supported', 'refresh_token')
        ? 'offline_access is announced, but refresh_token is not among the grant types'
        : undefined,
    isAffected: ({ asksOffline }) => asksOffline,
    affects: 'They ask for offline_access, which cannot be granted',
    fix: 'Allow refresh_token, or leave offline_access out of scopes_supported.',
  },
  {
    seen: (metadata) =>
      typeof metadata.registration_endpoint === 'string'
        ? lacks(metadata, 'token_endpoint_auth_methods_supported', 'none')
        : undefined,
    isAffected: ({ method }) => method === 'none',
    affects: 'They register as public clients ("none"), which may be refused',
    fix: 'Allow public clients, or set provider.',
  },
  {
    seen: (_metadata, provider) =>
      provider === 'keycloak'
        ? 'Keycloak refuses anonymous registrations with a scope unless its policies are changed'
        : undefined,
    isAffected: ({ registers }) => registers.includes('scope'),
    affects: 'Their registration contains a scope',
    fix: KEYCLOAK_FIX,
  },
  {
    seen: (_metadata, provider) =>
      provider === 'keycloak' ? 'Keycloak refuses a client_uri on hosts that its policies do not trust' : undefined,
    isAffected: ({ registers }) => registers.includes('client_uri'),
    affects: 'Their registration contains a client_uri',
    fix: KEYCLOAK_FIX,
  },
  {
    seen: (_metadata, provider) =>
      provider === 'entra' ? 'Entra ID refuses a refresh without a scope, or grants other scopes' : undefined,
    isAffected: ({ refreshScope }) => refreshScope === 'none',
    affects: 'They refresh without a scope, so users must log in again every hour',
    fix: 'Set provider: { entra: {} }.',
  },
];

/** Warns of requests of known clients that the server refuses, as far as its metadata shows. */
export function checkKnownClients(issuer: string, metadata: Metadata): Finding[] {
  const report = reporterFor('known clients');
  const provider = providerOf(issuer, metadata);
  const problems = CLIENT_PROBLEMS.flatMap(({ seen, isAffected, affects, fix }) => {
    const what = seen(metadata, provider);
    const names = KNOWN_CLIENTS.filter(isAffected).map(({ name }) => name);
    return what === undefined ? [] : [report.warning(what, `${affects}: ${names.join(', ')}.`, fix)];
  });
  if (problems.length > 0) return problems;
  return [report.ok(`the metadata excludes nothing that the ${KNOWN_CLIENTS.length} known clients send`)];
}

/** Recognises a provider by its key set URL, which each provider derives from its issuer in its own way. */
function providerOf(issuer: string, { jwks_uri: jwksUri }: Metadata): ProviderName | undefined {
  const { standard: _standard, ...others } = PROVIDERS;
  if (!canParseUrl(issuer) || jwksUri === wellKnownJwksUrl(issuer)) return undefined;
  const candidates = Object.entries(others) as [ProviderName, (typeof PROVIDERS)[ProviderName]][];
  return candidates.find(([, provider]) => provider.jwksUrl?.(issuer) === jwksUri)?.[0];
}
