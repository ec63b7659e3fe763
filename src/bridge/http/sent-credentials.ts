import type { Advice } from '../../core/advice.js';
import type { HeaderRecord } from '../../targets/http/exchange.js';
import type { ResolvedServer } from './remote-server-options.js';

type CredentialOptions = Pick<ResolvedServer, 'bearer' | 'callerToken' | 'headers'>;

/** The `aud` of a caller token: the URL of the target without its query, which may contain a key. */
export function audienceOf({ origin, pathname }: URL): string {
  return origin + pathname;
}

/** Characters. A shorter value is not a secret, and occurs in texts by chance. */
const MIN_SECRET_LENGTH = 4;

/** Returns the options with which this server authenticates itself or its callers at the target, as the user writes them. */
export function credentialOptions(
  { bearer, callerToken, headers }: CredentialOptions,
  { names }: Pick<Advice, 'names'>,
): readonly string[] {
  const isSet = {
    bearer: bearer !== undefined,
    callerToken: callerToken !== undefined,
    headers: typeof headers === 'function' || [...headers.values()].some((value) => value !== undefined),
  };
  const given = Object.entries(isSet).filter(([, isGiven]) => isGiven);
  return given.map(([name]) => names.get(name) ?? name);
}

/** True if a request to the target may carry credentials. A header of the client may be an API key for the target. */
export function maySendCredentials(
  options: CredentialOptions & { readonly requestHeaders: readonly string[] },
  advice: Pick<Advice, 'names'>,
): boolean {
  return options.requestHeaders.length > 0 || credentialOptions(options, advice).length > 0;
}

/** Describes the credentials of one request for the log. It names options and headers, and has no secret value. */
export function describeCredentials(
  { bearer, callerToken, url }: CredentialOptions & Pick<ResolvedServer, 'url'>,
  { names }: Pick<Advice, 'names'>,
  caller: HeaderRecord,
): string {
  const written = (option: string) => names.get(option) ?? option;
  const sent = [...caller].filter(([, value]) => value !== undefined).map(([name]) => name);
  const option = bearer === undefined ? callerToken && 'callerToken' : 'bearer';
  // The usual mistakes are another issuer or audience at the target, which seldom says so.
  const claims = ` (iss ${callerToken?.issuer}, aud ${audienceOf(url)})`;
  const isSent = sent.includes('authorization');
  const others = option === undefined ? sent : sent.filter((name) => name !== 'authorization');
  const kinds = [
    ...(option !== undefined && isSent ? [`${written(option)}${bearer === undefined ? claims : ''}`] : []),
    ...(option !== undefined && !isSent ? [`no ${written(option)}, because the caller is anonymous`] : []),
    ...(others.length > 0 ? [`${written('headers')} (${others.join(', ')})`] : []),
  ];
  return kinds.join(' and ') || 'none';
}

/** Returns the values of headers that the log must not show, with and without their scheme (`Bearer`). */
export function secretsIn(values: readonly (string | undefined)[]): readonly string[] {
  const all = values.flatMap((value) => (value === undefined ? [] : [value, value.slice(value.indexOf(' ') + 1)]));
  return all.filter((value) => value.length >= MIN_SECRET_LENGTH);
}
