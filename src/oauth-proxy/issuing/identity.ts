import { UpstreamError } from '../../core/errors.js';
import type {
  IdentityProvider,
  Profile,
  ProfileSource,
  UpstreamLogin,
} from '../../providers/identity/identity-provider.js';
import { callServer, type ServerAnswer, USER_AGENT } from '../../upstream/call-server.js';
import { OAuthError } from '../oauth-error.js';
import { toUpstreamError } from '../upstream-answer.js';
import { readIdToken } from './id-token.js';
import { claimsOf } from './issued-claims.js';
import type { IssuingContext } from './issuing-context.js';
import type { UpstreamTokens } from './upstream-tokens.js';

/** The user that a token of the identity provider stands for. */
export interface Identity {
  readonly subject: string;
  readonly profile: Profile;
  /** The members of the profile that our tokens carry. */
  readonly claims: Profile;
}

/**
 * Finds out who the user is: from the ID token, and from documents that the user's token opens.
 *
 * @param nonce That of the login; undefined at a refresh.
 * @returns Undefined if nothing says who the user is, which is possible at a refresh only.
 * @throws {OAuthError} `invalid_grant`: the token is no longer good.
 * @throws {UpstreamError}
 */
export async function readIdentity(
  context: IssuingContext,
  tokens: Pick<UpstreamTokens, 'accessToken' | 'idToken' | 'granted'>,
  nonce: string | undefined,
): Promise<Identity | undefined> {
  const { provider, scopes } = context.identity;
  const claimed =
    provider.idToken === undefined || tokens.idToken === undefined
      ? undefined
      : await readIdToken(context, tokens.idToken, nonce);
  if (nonce !== undefined && provider.idToken !== undefined && claimed === undefined) throw malformed('no ID token');
  const login = { scopes: tokens.granted ?? scopes, asked: scopes, token: tokens.accessToken };
  const sources = provider.profile.filter(({ isReadable }) => isReadable?.(login) ?? true);
  const documents = await Promise.all(sources.map((source) => readSource(context, source, login)));
  if (claimed !== undefined) requireSameUser(provider, claimed, documents);
  const parts = [...documents, ...(claimed === undefined ? [] : [claimed])];
  return parts.length === 0 ? undefined : identityOf(context, parts);
}

/**
 * Returns the profile for the function `allow` at a refresh whose answer has no ID token (OpenID Connect Core, section 12.2). Undefined if it
 * is not needed: documents can be fetched again.
 */
export function profileToKeep({ identity: { allow, provider } }: IssuingContext, { profile }: Identity) {
  return allow !== undefined && provider.profile.length === 0 ? profile : undefined;
}

/** OpenID Connect Core, section 5.3.2: each document must say that it is about the user of the ID token. */
function requireSameUser({ subjectOf }: IdentityProvider, claimed: Profile, documents: readonly Profile[]): void {
  const subject = subjectOf(claimed);
  for (const document of documents) {
    const isNamed = subject !== undefined && subjectOf(document) === subject;
    const { sub = isNamed ? claimed.sub : undefined } = document;
    if (sub === undefined || sub !== claimed.sub) throw malformed('a profile without the "sub" of the ID token');
  }
}

function identityOf(context: IssuingContext, parts: readonly Profile[]): Identity {
  const { provider } = context.identity;
  const subjects = new Set(parts.flatMap((part) => provider.subjectOf(part) ?? []));
  const [subject, another] = subjects;
  if (subject === undefined) throw malformed('a profile without the id of the user');
  if (another !== undefined) throw malformed('profiles of two users');
  const profile: Profile = Object.assign({}, ...parts);
  return { subject, profile, claims: claimsOf(context, subject, profile) };
}

async function readSource(
  { warnOfMissingPermission }: IssuingContext,
  { url, read, permission }: ProfileSource,
  login: UpstreamLogin,
): Promise<Profile> {
  const headers = { authorization: `Bearer ${login.token}`, 'user-agent': USER_AGENT };
  const answer = await callServer(new URL(url), { method: 'GET', headers }).catch(toUpstreamError);
  if (answer.status === 401) {
    const message = 'The login at the identity provider has ended, and the user must log in again';
    throw new OAuthError('invalid_grant', message);
  }
  if (answer.status !== 200) {
    const what = `GET ${url} failed: it answered with status ${answer.status}`;
    if (permission?.isMissing(login, answer)) {
      warnOfMissingPermission(`OAuth proxy: ${what}, so profiles lack what it says; ${permission.advice}`);
      return {};
    }
    throw new UpstreamError('authorization_server_unavailable', { cause: new Error(what) });
  }
  return read(parsed(answer)) ?? malformedAnswer(url);
}

function parsed({ text }: ServerAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Refused by the caller, like any other answer that cannot be read.
    return undefined;
  }
}

function malformedAnswer(url: string): never {
  throw malformed(`an answer at ${url} that cannot be read`);
}

function malformed(what: string): UpstreamError {
  return new UpstreamError('authorization_server_malformed', {
    cause: new Error(`the identity provider sent ${what}`),
  });
}
