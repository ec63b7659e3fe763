import { stringsIn } from '../http/json-object.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { splitAtSpaces } from '../providers/identity/identity-provider.js';
import type { ServerAnswer } from '../upstream/call-server.js';
import type { ServerMetadata } from '../upstream/server-metadata.js';

type Options = Pick<ResolvedOAuthProxy, 'provider' | 'audiences' | 'scopes'>;

/** The scopes that a client registers for. */
export interface RegistrationScopes {
  /** In the spelling of our resource. Empty if nothing is known. */
  readonly names: readonly string[];
  /** True if the client named none, so that these are ours. */
  readonly areFilledIn: boolean;
}

/**
 * Returns the scopes of a registration. For a client that names none: those that the resource announces, and `offline_access` if the
 * upstream server knows it. Many servers would let that client ask only for scopes of their own (RFC 7591, section 2).
 *
 * @param given The `scope` of the client's metadata.
 * @param upstream Undefined if it is not asked.
 */
export function registrationScopes(
  { scopes }: Pick<Options, 'scopes'>,
  given: unknown,
  upstream: ServerMetadata | undefined,
): RegistrationScopes {
  const asked = typeof given === 'string' ? splitAtSpaces(given) : [];
  if (asked.length > 0) return { names: asked, areFilledIn: false };
  const isRefreshable = stringsIn(upstream?.document.scopes_supported).includes(OFFLINE_ACCESS);
  const names = scopes.length > 0 && isRefreshable ? [...new Set([...scopes, OFFLINE_ACCESS])] : scopes;
  return { names, areFilledIn: true };
}

const OFFLINE_ACCESS = 'offline_access';

/** Pairs the upstream server's spelling of the scopes with the scopes, except those that it does not know. */
function spellings({ provider, audiences }: Options, names: readonly string[]): ReadonlyMap<string, string> {
  const known = names.filter((name) => !provider.omittedScopes.includes(name));
  return new Map(known.map((name) => [provider.upstreamScope(name, audiences), name]));
}

/** True if the upstream server takes the scopes of a registration. */
function takesScopes({ provider }: Pick<Options, 'provider'>): boolean {
  return provider.registration?.members.includes('scope') === true;
}

/**
 * Registers for the scopes, and again without if the client named none and the server refuses ours: oidc-provider, for one, registers
 * clients for no scope that only a resource knows, and lets them ask for it.
 */
export async function registerFor(
  options: Options,
  scopes: RegistrationScopes,
  register: (scope: string | undefined) => Promise<ServerAnswer>,
): Promise<ServerAnswer> {
  const isSent = scopes.names.length > 0 && takesScopes(options);
  const { provider, audiences } = options;
  const scope = isSent ? provider.upstreamScopes(scopes.names, audiences).join(' ') : undefined;
  const answer = await register(scope);
  const isRefused = answer.status === 400 && REFUSED_SCOPES.includes(answer.body?.error);
  return isRefused && scopes.areFilledIn && scope !== undefined ? register(undefined) : answer;
}

const REFUSED_SCOPES: readonly unknown[] = ['invalid_client_metadata', 'invalid_scope'];

/**
 * Returns the `scope` of our answer, which says what is registered (RFC 7591, section 3.2.1); undefined if nothing is known.
 *
 * @param answered The `scope` of the upstream server's answer.
 */
export function answeredScope(options: Options, { names }: RegistrationScopes, answered: unknown): string | undefined {
  const counts = typeof answered === 'string' && takesScopes(options);
  const ours = spellings(options, names);
  const registered = counts ? splitAtSpaces(answered).map((name) => ours.get(name) ?? name) : [...ours.values()];
  return registered.length === 0 ? undefined : registered.join(' ');
}

/**
 * Returns the scopes of the resource that a client has registered for at the upstream server, which may refuse it any other. Undefined if
 * the client named none, or that server does not learn them.
 *
 * @param given The `scope` of the client's metadata.
 * @param registered The `scope` that is registered.
 */
export function registeredScopes(
  options: Pick<ResolvedOAuthProxy, 'client' | 'provider' | 'scopes'>,
  given: unknown,
  registered: unknown,
): readonly string[] | undefined {
  const isNamed = typeof given === 'string' && splitAtSpaces(given).length > 0;
  if (!isNamed || options.client !== undefined || !takesScopes(options)) return undefined;
  const names = typeof registered === 'string' ? splitAtSpaces(registered) : [];
  return options.scopes.filter((scope) => names.includes(scope));
}

/** Returns the `scope` of our answer to a client that shares the configured client, which the upstream server does not learn. */
export function scopeOfShared(options: Options, { scope }: { readonly scope?: unknown }): string | undefined {
  return answeredScope(options, registrationScopes(options, scope, undefined), undefined);
}
