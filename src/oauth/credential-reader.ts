import type { IncomingMessage } from 'node:http';
import { AuthError } from '../core/errors.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { trimOws } from '../http/ows.js';
import { removeHeader } from '../http/remove-header.js';
import { API_KEY_HEADER } from './credential-form.js';
import {
  hasQueryToken,
  mayHaveToken,
  missingTokenRefusal,
  readToken,
  removeAccessToken,
  type Scheme,
  schemeOf,
} from './credentials.js';

/** The places where a policy reads credentials. */
export interface CredentialPlaces {
  /** The header of the access token. Undefined: `Authorization`, with one of the schemes. */
  readonly authorizationLocation: { readonly header: string; readonly prefix: string } | undefined;
  /** Defined if `x-api-key` is read. */
  readonly apiKeys: object | undefined;
}

/** The credential of a request, or the reason why there is none. */
export interface PresentedCredential {
  readonly scheme: Scheme;
  /** Not checked: its verification does that. */
  readonly token: string;
  /** True if it is in `x-api-key`, where only API keys are read. */
  readonly isApiKey: boolean;
  readonly refusal: AuthError | undefined;
}

export type CredentialReader = (req: IncomingMessage, target: string) => PresentedCredential;

/** Creates the function that reads the credential of a request. It refuses two in places that the policy reads. */
export function createCredentialReader(
  { authorizationLocation: location, apiKeys }: CredentialPlaces,
  schemes: readonly Scheme[],
): CredentialReader {
  const read: CredentialReader =
    location === undefined ? (req, target) => readStandard(req, target, schemes) : createLocationReader(location);
  if (apiKeys === undefined) return (req, target) => withKeyHint(read(req, target), req);
  return (req, target) => {
    const key = req.headers[API_KEY_HEADER];
    if (key === undefined) return read(req, target);
    const { refusal } = read(req, target);
    // Every token that another reader could find counts, such as one for DPoP, or after a no-break space.
    const hasToken = location === undefined && mayHaveToken(req.headers.authorization);
    const isAlone = refusal?.code === 'missing_token' && !hasToken && !hasQueryToken(target);
    if (!isAlone || isRepeated(req, API_KEY_HEADER)) return refused(new AuthError('several_tokens'));
    return { scheme: 'bearer', token: trimOws(String(key)), isApiKey: true, refusal: undefined };
  };
}

const UNREAD_KEY = new AuthError('missing_token', { hint: 'x-api-key is read only if the policy has apiKeys' });
const UNREAD_AUTHORIZATION = new AuthError('missing_token', {
  hint: 'Authorization is not read: the policy has authorizationLocation',
});

/** The log says why a key was not read. */
function withKeyHint(credential: PresentedCredential, { headers }: IncomingMessage): PresentedCredential {
  const isUnread = credential.refusal?.code === 'missing_token' && headers[API_KEY_HEADER] !== undefined;
  return isUnread ? { ...credential, refusal: UNREAD_KEY } : credential;
}

function readStandard(req: IncomingMessage, target: string, schemes: readonly Scheme[]): PresentedCredential {
  const { authorization } = req.headers;
  // Every client's first request has no token, so this path is hot: no exception.
  if (authorization === undefined) return refused(missingTokenRefusal(target));
  const scheme = schemeOf(authorization, schemes);
  try {
    const token = readToken(authorization, scheme, target);
    return { scheme: scheme ?? 'bearer', token, isApiKey: false, refusal: undefined };
  } catch (error) {
    if (!(error instanceof AuthError)) throw error;
    return refused(error, scheme);
  }
}

function createLocationReader({
  header,
  prefix,
}: NonNullable<CredentialPlaces['authorizationLocation']>): CredentialReader {
  const expected = lowerAscii(prefix);
  return (req, target) => {
    const value = req.headers[header];
    if (value === undefined) {
      const isElsewhere = header !== 'authorization' && req.headers.authorization !== undefined;
      return refused(isElsewhere ? UNREAD_AUTHORIZATION : missingTokenRefusal(target));
    }
    const text = trimOws(String(value));
    if (isRepeated(req, header) || hasQueryToken(target)) return refused(new AuthError('several_tokens'));
    // Refused and not ignored: another reader may find a token in it.
    if (lowerAscii(text.slice(0, prefix.length)) !== expected) return refused(new AuthError('malformed_header'));
    return { scheme: 'bearer', token: trimOws(text.slice(prefix.length)), isApiKey: false, refusal: undefined };
  };
}

function refused(refusal: AuthError, scheme: Scheme = 'bearer'): PresentedCredential {
  return { scheme, token: '', isApiKey: false, refusal };
}

/** Node joins two headers of most names. A proxy may have used one of them. */
function isRepeated({ rawHeaders }: IncomingMessage, header: string): boolean {
  const isNamed = (name: string, i: number) => i % 2 === 0 && lowerAscii(name) === header;
  return rawHeaders.filter(isNamed).length > 1;
}

/**
 * Removes the credentials that the policy reads from a request that continues as anonymous: a backend could take them for verified
 * ones.
 */
export function removeCredentials(
  req: IncomingMessage,
  { authorizationLocation: location, apiKeys }: CredentialPlaces,
): void {
  removeAccessToken(req);
  if (location !== undefined) removeHeader(req, location.header);
  if (apiKeys !== undefined) removeHeader(req, API_KEY_HEADER);
}
