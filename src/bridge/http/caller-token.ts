import { createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { AuthInfo } from '../../core/auth-info.js';
import { createLazyImport } from '../../core/lazy-import.js';
import type { Logger } from '../../core/logger.js';
import { forEveryOrigin } from '../../http/endpoint.js';
import type { Middleware } from '../../http/middleware.js';
import { replyJson } from '../../http/reply.js';
import type { ResolvedOptions } from '../../options/option-table.js';
import { type CALLER_TOKEN_TABLE, type CallerKey, KEY_COMMAND, signingKeyOf } from './caller-token-options.js';

const LIFETIME_SECONDS = 60;
/**
 * `mcpAuth()` accepts the caller's token for some time after its expiry (`clockToleranceSeconds`). With a caller token that has already
 * expired, the target would refuse the call, and the log would blame the target.
 */
const MIN_LIFETIME_SECONDS = 10;
/** Seconds that a target may cache the keys. */
const KEYS_MAX_AGE = 300;

const loadJose = createLazyImport('jose', () => import('jose'));

/** Makes the tokens that say who is calling. */
export interface CallerTokens {
  /** Returns the `Authorization` header for this caller; undefined for an anonymous caller. */
  authorizationFor(auth: AuthInfo | undefined): Promise<string | undefined>;
}

interface Minted {
  readonly authorization: Promise<string>;
  readonly until: number;
}

/**
 * Creates the maker of caller tokens.
 *
 * @param audience The URL of the target.
 */
export function createCallerTokens(
  options: ResolvedOptions<typeof CALLER_TOKEN_TABLE>,
  audience: string,
  { alg, key, kid }: PublishedKey,
): CallerTokens {
  // Requests with the same token share one AuthInfo, so they share the caller token too.
  const minted = new WeakMap<AuthInfo, Minted>();
  const mint = async (auth: AuthInfo, lifetimeSeconds: number): Promise<string> => {
    const { SignJWT } = await loadJose();
    const jwt = new SignJWT(claimsOf(auth, options.claims)).setProtectedHeader({ alg, kid: await kid, typ: 'JWT' });
    const now = Math.floor(Date.now() / 1_000);
    jwt.setIssuer(options.issuer).setAudience(audience).setJti(randomUUID());
    return `Bearer ${await jwt
      .setIssuedAt(now)
      .setExpirationTime(now + lifetimeSeconds)
      .sign(key)}`;
  };
  return {
    async authorizationFor(auth) {
      if (auth === undefined) return undefined;
      const last = minted.get(auth);
      if (last !== undefined && performance.now() < last.until) return last.authorization;
      const lifetimeSeconds = lifetimeFor(auth);
      const authorization = mint(auth, lifetimeSeconds);
      // Half of it must be enough for a slow target.
      minted.set(auth, { authorization, until: performance.now() + (lifetimeSeconds / 2) * 1_000 });
      // The next request tries again.
      authorization.catch(() => minted.delete(auth));
      return authorization;
    },
  };
}

function lifetimeFor({ expiresAt = Number.POSITIVE_INFINITY }: AuthInfo): number {
  const rest = Math.floor(expiresAt - Date.now() / 1_000);
  return Math.max(MIN_LIFETIME_SECONDS, Math.min(LIFETIME_SECONDS, rest));
}

function claimsOf(auth: AuthInfo, copied: readonly string[]): Record<string, unknown> {
  const { clientId, scopes, subject, payload } = auth;
  const claims: Record<string, unknown> = Object.fromEntries(
    copied.filter((name) => Object.hasOwn(payload, name)).map((name) => [name, payload[name]]),
  );
  // A token without a subject may be a program's own. The client is not named as the subject: a user may have the id of a client as name.
  const user = subject !== undefined && {
    sub: subject,
    // RFC 9493: two issuers may give two users the same name.
    sub_id: { format: 'iss_sub', iss: payload.iss, sub: subject },
  };
  return { ...claims, ...user, client_id: clientId, scope: scopes.join(' ') };
}

/** A signing key whose public half is in the key set. */
export interface PublishedKey extends CallerKey {
  /** The thumbprint of the key (RFC 7638). */
  readonly kid: Promise<string>;
}

/**
 * Returns the configured key, or makes one.
 *
 * @param who The function that the option belongs to, in the log.
 */
export function publishKey(given: CallerKey | undefined, logger: Logger, who: string): PublishedKey {
  const { alg, key } = given ?? makeKey(logger, who);
  const kid = loadJose().then(({ calculateJwkThumbprint }) => calculateJwkThumbprint(publicJwk(key) as object));
  // Each token awaits it, and fails with the reason.
  kid.catch(() => undefined);
  return { alg, key, kid };
}

function makeKey(logger: Logger, who: string): CallerKey {
  logger.warn(
    `${who}: callerToken has no key, so one is made at start: other replicas do not have it, and it is lost with a restart. ` +
      'An MCP server that caches the key set then refuses calls until it fetches it again. ' +
      `Make a key with "${KEY_COMMAND}"`,
  );
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return signingKeyOf(privateKey) as CallerKey;
}

const published = new WeakMap<Middleware, readonly PublishedKey[]>();

/** Returns the keys that a handler of {@link createCallerKeys} serves. */
export function callerKeysOf(handler: Middleware): readonly PublishedKey[] {
  return published.get(handler) ?? [];
}

/** Creates the endpoint of the key set. Without a key, it passes requests on. */
export function createCallerKeys(keys: readonly PublishedKey[]): Middleware {
  const answer = forEveryOrigin(['GET', 'HEAD'], (_req, res, next) => {
    Promise.all(keys.map(publicKeyOf)).then((all) => {
      // Several backends may have the same key.
      const distinct = [...new Map(all.map((key) => [key.kid, key])).values()];
      const body = JSON.stringify({ keys: distinct });
      replyJson(res, 200, body, { 'cache-control': `public, max-age=${KEYS_MAX_AGE}` });
    }, next);
  });
  const handler: Middleware = keys.length === 0 ? (_req, _res, next) => next() : answer;
  published.set(handler, keys);
  return handler;
}

async function publicKeyOf({ alg, key, kid }: PublishedKey) {
  return { ...publicJwk(key), kid: await kid, alg, use: 'sig' };
}

function publicJwk(key: CallerKey['key']) {
  return createPublicKey(key).export({ format: 'jwk' });
}
