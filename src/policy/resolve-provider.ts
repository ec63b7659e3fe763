import type { OptionChecks } from '../options/checks.js';
import type { Provider } from '../providers/provider.js';
import { PROVIDERS, type ProviderName } from '../providers/providers.js';

/** A client that was registered at the authorization server by hand. */
export interface StaticClient {
  readonly id: string;
  readonly secret: string | undefined;
}

const NAMES = Object.keys(PROVIDERS) as ProviderName[];
const FIX = 'Write { keycloak: {} }, or another provider; leave it out if the issuer follows the MCP specification.';

export function resolveProvider(checks: OptionChecks, given: unknown, option: string): Provider {
  const providers = checks.record(given, option, FIX);
  checks.knownKeys(providers, option, NAMES);
  const named = NAMES.filter((name) => providers[name] !== undefined);
  const [name] = named;
  if (name === undefined || named.length > 1) return checks.refuse(option, 'exactly one provider', named, FIX);
  const path = `${option}.${name}`;
  const settings = checks.record(providers[name], path, `Write { ${name}: {} }.`);
  for (const key of Object.keys(settings)) {
    checks.refuse(path, 'an empty object', { [key]: '…' }, 'clientId and clientSecret stand beside "provider".');
  }
  return PROVIDERS[name];
}

/** The client of an issuer, which stands beside its provider. `path` is empty or ends in a dot. */
export function resolveClient(
  checks: OptionChecks,
  { provider, clientId, clientSecret }: Readonly<Record<'provider' | 'clientId' | 'clientSecret', unknown>>,
  path: string,
): StaticClient | undefined {
  if (clientId === undefined && clientSecret === undefined) return undefined;
  if (provider === undefined) {
    const key = clientId === undefined ? 'clientSecret' : 'clientId';
    checks.refuse(`${path}provider`, `given beside "${key}"`, undefined, 'Write { standard: {} }, or its kind.');
  }
  const fix = 'Give the id of the client that you registered at the authorization server.';
  return Object.freeze({
    id: checks.string(clientId, `${path}clientId`, fix),
    secret:
      clientSecret === undefined
        ? undefined
        : checks.secret(clientSecret, `${path}clientSecret`, 1, 'Leave it out for a public client.'),
  });
}
