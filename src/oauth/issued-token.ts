import { createSeal, type Seal } from '../core/seal.js';
import type { UpstreamToken } from '../core/upstream-token.js';
import { isRecord } from '../http/json-object.js';
import { ISSUED_TOKEN_PREFIX } from './credential-form.js';

/** The contents of an access token that this server issues. Its issuer and audience are the resource, which the seal is bound to. */
export interface IssuedToken {
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** Differs for each token. */
  readonly id: string;
  /** The login that it comes from, through any number of refreshes. */
  readonly login: string;
  /** Further claims about the user. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly upstream: UpstreamToken;
}

/** The server and the client there that a token is bound to. It opens for no others. */
export interface IssuedTokenBinding {
  /** The resource. */
  readonly resource: string;
  /** The identity provider. */
  readonly issuer: string;
  /** This server's client id there. */
  readonly clientId: string;
}

/** Headers of 8 KB are the limit of many servers and proxies. */
const MAX_BYTES = 6_144;

/** Keys of their own: what the OAuth proxy seals with the same secret can never open as a token. */
const DERIVATION = 'express-mcp-auth issued token';

/** Short names, since the token travels with each request. */
interface Sealed {
  readonly s: string;
  readonly c: string;
  readonly sc: readonly string[];
  readonly t: readonly [issuedAt: number, expiresAt: number];
  readonly id: readonly [token: string, login: string];
  readonly u: readonly [token: string, expiresAt: number | null];
  readonly x: Readonly<Record<string, unknown>>;
}

interface Contents {
  readonly token: Sealed;
}

const isText = (value: unknown): value is string => typeof value === 'string';

const SHAPE = {
  s: isText,
  c: isText,
  sc: (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText),
  t: (value: unknown): value is Sealed['t'] =>
    Array.isArray(value) && value.length === 2 && value.every((each) => Number.isFinite(each)),
  id: (value: unknown): value is Sealed['id'] => Array.isArray(value) && value.length === 2 && value.every(isText),
  u: (value: unknown): value is Sealed['u'] =>
    Array.isArray(value) && isText(value[0]) && (value[1] === null || Number.isFinite(value[1])),
  x: isRecord,
};

/** Makes and opens the access tokens that this server issues. */
export interface IssuedTokens {
  /** Undefined if the token would be longer than headers may be. */
  issue(contents: IssuedToken): string | undefined;
  /** Undefined if the token was not made with these secrets for this resource and client, or was altered. Does not check its expiry. */
  open(token: string): IssuedToken | undefined;
}

/** @param secrets The first one makes tokens, all open them. */
export function createIssuedTokens(
  secrets: readonly string[],
  { resource, issuer, clientId }: IssuedTokenBinding,
): IssuedTokens {
  // Both functions below have a limit of their own.
  const settings = { derivation: DERIVATION, maxLengths: { token: Number.POSITIVE_INFINITY } };
  const boundTo = [resource, issuer, clientId];
  const seal: Seal<Contents> = createSeal<Contents>(secrets, boundTo, { token: SHAPE }, settings);
  return {
    issue(contents) {
      const token = ISSUED_TOKEN_PREFIX + seal.close('token', sealedFrom(contents));
      return token.length > MAX_BYTES ? undefined : token;
    },
    open(token) {
      if (token.length > MAX_BYTES || !token.startsWith(ISSUED_TOKEN_PREFIX)) return undefined;
      const sealed = seal.open('token', token.slice(ISSUED_TOKEN_PREFIX.length));
      return sealed && contentsOf(sealed);
    },
  };
}

function sealedFrom({
  subject,
  clientId,
  scopes,
  issuedAt,
  expiresAt,
  id,
  login,
  claims,
  upstream,
}: IssuedToken): Sealed {
  const { token, expiresAt: upstreamExpiry = null } = upstream;
  return {
    s: subject,
    c: clientId,
    sc: scopes,
    t: [issuedAt, expiresAt],
    id: [id, login],
    u: [token, upstreamExpiry],
    x: claims,
  };
}

function contentsOf({ s: subject, c: clientId, sc: scopes, t, id: ids, u, x: claims }: Sealed): IssuedToken {
  const [[issuedAt, expiresAt], [id, login]] = [t, ids];
  const upstream = { token: u[0], expiresAt: u[1] ?? undefined };
  return { subject, clientId, scopes, issuedAt, expiresAt, id, login, claims, upstream };
}
