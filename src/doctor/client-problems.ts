import { stringsIn } from '../http/json-object.js';
import { PROVIDERS, type ProviderName } from '../providers/providers.js';
import { type Finding, reporterFor } from './finding.js';
import { KNOWN_CLIENTS, type KnownClient } from './known-clients.js';

type Metadata = Readonly<Record<string, unknown>>;

/** One thing that some clients send, and when a server does not take it. */
interface Stumble {
  /** The part of the metadata that rules it out; undefined if there is none, which is no reason to warn. */
  readonly seen: (metadata: Metadata, kind: ProviderName | undefined) => string | undefined;
  readonly who: (client: KnownClient) => boolean;
  readonly affects: string;
  readonly fix: string;
}

const lacks = (metadata: Metadata, member: string, value: string): string | undefined => {
  const listed = metadata[member];
  return Array.isArray(listed) && !stringsIn(listed).includes(value) ? `${member} lacks ${value}` : undefined;
};

const announcesOffline = (metadata: Metadata) => stringsIn(metadata.scopes_supported).includes('offline_access');
const KEYCLOAK_FIX = 'Set provider: { keycloak: {} }, or change the client registration policies of the realm.';

const STUMBLES: readonly Stumble[] = [
  ...(['consent', 'select_account'] as const).map(
    (prompt): Stumble => ({
      seen: (metadata) => (announcesOffline(metadata) ? lacks(metadata, 'prompt_values_supported', prompt) : undefined),
      who: ({ prompts }) => prompts.includes(prompt),
      affects: `They log in with prompt=${prompt}, which may be refused`,
      fix: `Allow prompt=${prompt}, or leave offline_access out of scopes_supported.`,
    }),
  ),
  {
    seen: (metadata) =>
      announcesOffline(metadata) && lacks(metadata, 'grant_types_supported', 'refresh_token')
        ? 'offline_access is announced, and refresh_token is not among the grant types'
        : undefined,
    who: ({ asksOffline }) => asksOffline,
    affects: 'They ask for offline_access, and cannot be granted it',
    fix: 'Allow refresh_token, or leave offline_access out of scopes_supported.',
  },
  {
    seen: (metadata) =>
      typeof metadata.registration_endpoint === 'string'
        ? lacks(metadata, 'token_endpoint_auth_methods_supported', 'none')
        : undefined,
    who: ({ method }) => method === 'none',
    affects: 'They register as public clients (none), which may be refused',
    fix: 'Allow public clients, or set provider.',
  },
  {
    seen: (_metadata, kind) =>
      kind === 'keycloak'
        ? 'Keycloak, which refuses anonymous registrations with a scope unless its policies are changed'
        : undefined,
    who: ({ registers }) => registers.includes('scope'),
    affects: 'Their registration names one',
    fix: KEYCLOAK_FIX,
  },
  {
    seen: (_metadata, kind) =>
      kind === 'keycloak' ? 'Keycloak, which refuses a client_uri at hosts that its policies do not trust' : undefined,
    who: ({ registers }) => registers.includes('client_uri'),
    affects: 'Their registration names one',
    fix: KEYCLOAK_FIX,
  },
  {
    seen: (_metadata, kind) =>
      kind === 'entra' ? 'Entra ID, which refuses a refresh without a scope, or answers with another one' : undefined,
    who: ({ refreshScope }) => refreshScope === 'none',
    affects: 'They refresh without a scope, so that users log in again every hour',
    fix: 'Set provider: { entra: {} }.',
  },
];

/** Says which of the clients whose requests are known would stumble, as far as that follows from the metadata. */
export function checkKnownClients(issuer: string, metadata: Metadata): Finding[] {
  const report = reporterFor('known clients');
  const kind = kindOf(issuer, metadata);
  const stumbles = STUMBLES.flatMap(({ seen, who, affects, fix }) => {
    const what = seen(metadata, kind);
    const names = KNOWN_CLIENTS.filter(who).map(({ name }) => name);
    return what === undefined ? [] : [report.warning(what, `${affects}: ${names.join(', ')}.`, fix)];
  });
  if (stumbles.length > 0) return stumbles;
  return [report.ok(`the metadata refuses nothing that ${KNOWN_CLIENTS.length} of them are known to send`)];
}

/** A server is known by the address of its keys, which only it derives from its issuer in that way. */
function kindOf(issuer: string, { jwks_uri: jwksUri }: Metadata): ProviderName | undefined {
  const { standard, ...others } = PROVIDERS;
  if (!URL.canParse(issuer) || jwksUri === standard.jwksUrl(issuer)) return undefined;
  const kinds = Object.entries(others) as [ProviderName, (typeof PROVIDERS)[ProviderName]][];
  return kinds.find(([, provider]) => provider.jwksUrl(issuer) === jwksUri)?.[0];
}
