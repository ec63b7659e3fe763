import { createSeal, type Seal, SealTooLongError } from '../core/seal.js';
import { isRecord } from '../http/json-object.js';
import { OAuthError } from './oauth-error.js';

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrAbsent = (value: unknown): value is string | undefined => value === undefined || isText(value);
const isTrueOrAbsent = (value: unknown): value is true | undefined => value === undefined || value === true;
const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isNumberOrAbsent = (value: unknown): value is number | undefined => value === undefined || isNumber(value);
const isRecordOrAbsent = (value: unknown): value is Readonly<Record<string, unknown>> | undefined =>
  value === undefined || isRecord(value);
const isTextListOrAbsent = (value: unknown): value is readonly string[] | undefined =>
  value === undefined || isTextList(value);

/** A client at the upstream server that this server registered for one that did not register itself. */
export interface UpstreamClient {
  readonly id: string;
  /** This server asks for a public client. Some upstream servers give a secret all the same. */
  readonly secret?: string | undefined;
  /** The authentication method that the upstream server named; undefined if it named none. */
  readonly method?: string | undefined;
}

/** Absent if the client id says which client it is at the upstream server. */
const isUpstreamClientOrAbsent = (value: unknown): value is UpstreamClient | undefined =>
  value === undefined ||
  (isRecord(value) && isText(value.id) && isTextOrAbsent(value.secret) && isTextOrAbsent(value.method));

/** The sealed contents, by purpose, with a check for each member. */
const SHAPES = {
  /** A registered client: the contents of its client id. */
  client: {
    /** Its id at the upstream authorization server. */
    upstreamId: isText,
    redirectUris: isTextList,
    /** The name that the client gave; it is unverified. */
    name: isTextOrAbsent,
    /** The scopes of the resource that it registered for there, if it named some scopes. */
    scopes: isTextListOrAbsent,
  },
  /** The hidden field of the consent page: the request it asks about, the browser that was asked, and the fingerprint of what it shows. */
  consent: { query: isText, browserId: isText, fingerprint: isTextOrAbsent },
  /** A browser: the contents of its login cookie, with fingerprints of its user's consents, the latest last. */
  browser: { id: isText, allowed: isTextList },
  /** A login in progress at the upstream server: the contents of a cookie, or of our `state` there. */
  login: {
    /** Our `state`, if the login is in a cookie. */
    handle: isTextOrAbsent,
    browserId: isText,
    client: isText,
    /** The client as the log names it. */
    name: isTextOrAbsent,
    upstream: isUpstreamClientOrAbsent,
    redirectUri: isText,
    state: isTextOrAbsent,
    scopes: isTextList,
    /** Present if some of the scopes are our default, which the client did not name. */
    hasDefaultScopes: isTrueOrAbsent,
    codeChallenge: isText,
    /** Our own PKCE verifier at an identity provider. */
    verifier: isTextOrAbsent,
  },
  /** An authorization code of the OAuth proxy: its client, the requested scopes, and the upstream server's code. */
  code: {
    client: isText,
    upstream: isUpstreamClientOrAbsent,
    redirectUri: isText,
    scopes: isTextList,
    hasDefaultScopes: isTrueOrAbsent,
    codeChallenge: isText,
    code: isText,
    verifier: isTextOrAbsent,
  },
  /** A refresh token of the OAuth proxy: its client, the requested and the granted scopes, and the upstream server's token. */
  refresh_token: {
    client: isText,
    upstream: isUpstreamClientOrAbsent,
    scopes: isTextList,
    hasDefaultScopes: isTrueOrAbsent,
    granted: isTextListOrAbsent,
    token: isText,
  },
  /** A refresh token for tokens that this server issues. */
  issued_refresh: {
    /** The client, as {@link fingerprint} of its id, and as the claim `client_id` has it. */
    client: isText,
    clientId: isText,
    /** The login that it comes from, and how often its tokens were refreshed. */
    login: isText,
    generation: isNumber,
    issuedAt: isNumber,
    /** Seconds since 1970: when the login ends. */
    endsAt: isNumber,
    scopes: isTextList,
    subject: isText,
    claims: isRecord,
    /** The profile that the function `allow` saw last, if a refresh may bring no newer one. */
    profile: isRecordOrAbsent,
    /** The user's tokens of the identity provider. */
    accessToken: isText,
    accessTokenExpiresAt: isNumberOrAbsent,
    refreshToken: isTextOrAbsent,
    /** The scopes that they were granted; undefined if the identity provider has not said. */
    granted: isTextListOrAbsent,
  },
  /** The answer to a refresh, for other replicas. `of` is its place in the store: at another one, it is another user's. */
  issued_answer: { of: isText, answer: isText },
  /** The user's tokens after a refresh or a login that an outage interrupted, for other replicas. */
  issued_renewal: {
    of: isText,
    accessToken: isText,
    accessTokenExpiresAt: isNumberOrAbsent,
    refreshToken: isTextOrAbsent,
    idToken: isTextOrAbsent,
    granted: isTextListOrAbsent,
  },
};

type ShapedBy<S> = { readonly [K in keyof S]: S[K] extends (value: unknown) => value is infer T ? T : never };

export type SealedContents = { readonly [Purpose in keyof typeof SHAPES]: ShapedBy<(typeof SHAPES)[Purpose]> };
export type SealedClient = SealedContents['client'];
export type Browser = SealedContents['browser'];
export type Login = SealedContents['login'];
export type SealedRefresh = SealedContents['issued_refresh'];

/** The lifetime of a code. RFC 6749, section 4.1.2, recommends ten minutes at most. */
export const CODE_SECONDS = 600;

export type OAuthProxySeal = Seal<SealedContents>;

/** Of values that come in a form. Their tokens of other servers may be JWTs of several KB. */
const IN_A_FORM = 40_960;
/** Of values that were read from our own store. An answer of another server has at most 256 KiB, and is encoded twice. */
const IN_THE_STORE = 1_048_576;

const MAX_LENGTHS = {
  consent: 30_720,
  code: IN_A_FORM,
  refresh_token: IN_A_FORM,
  issued_refresh: IN_A_FORM,
  issued_answer: IN_THE_STORE,
  issued_renewal: IN_THE_STORE,
};

/** Says what is too long, where a client can send too much. Other contents are short, or the tokens of another server. */
const TOO_LONG: { readonly [P in keyof SealedContents]?: () => OAuthError } = {
  consent: () => new OAuthError('invalid_request', 'The request is too long'),
  login: () => new OAuthError('invalid_request', 'The request is too long: state, scope or redirect_uri'),
};

/**
 * {@link createSeal} for the contents of the OAuth proxy.
 *
 * Its `close()` throws an {@link OAuthError} for a value that is too long.
 */
export function createOAuthProxySeal(secrets: readonly string[], boundTo: readonly (string | null)[]): OAuthProxySeal {
  const seal = createSeal<SealedContents>(secrets, boundTo, SHAPES, { maxLengths: MAX_LENGTHS });
  return {
    open: seal.open,
    close(purpose, value, lifetimeSeconds) {
      try {
        return seal.close(purpose, value, lifetimeSeconds);
      } catch (error) {
        throw error instanceof SealTooLongError ? (TOO_LONG[purpose] ?? tooLongToken)() : error;
      }
    },
  };
}

function tooLongToken(): OAuthError {
  return new OAuthError('server_error', 'The authorization server has issued a token that is too long', 500, {
    advice: 'make the authorization server issue shorter tokens',
  });
}
