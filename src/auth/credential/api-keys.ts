import { API_KEY_ISSUER, type AuthInfo, expiryOf, issueAuth } from '../../core/auth-info.js';
import { AuthError } from '../../core/errors.js';
import { isRecord } from '../../http/json-object.js';
import { sha256Of } from '../../oauth/api-key.js';
import {
  type ApiKeySource,
  type ApiKeyTable,
  parseApiKey,
  parseApiKeys,
  type ResolvedApiKey,
} from '../../policy/resolve-api-keys.js';
import type { ResolvedAuth } from '../../policy/resolve-auth.js';
import { watchKeyFile } from '../keys/key-file.js';
import type { VerifiedToken } from '../token/token-cache.js';
import { givesAsMuch } from './credential-grant.js';
import { callInTime, outageFor } from './in-time.js';
import { FUNCTION_LIMITS, RememberedAnswers } from './remembered-answers.js';

/** The API keys of a policy. */
export interface ApiKeys {
  /** True if the credential is known to be a key, without asking a function. */
  includes(credential: string): boolean;
  /** @throws {AuthError} `unknown_api_key`, `token_expired`. */
  verify(credential: string): Promise<VerifiedToken>;
}

export function createApiKeys(source: ApiKeySource, resolved: ResolvedAuth): ApiKeys {
  return source.kind === 'function' ? createAskedKeys(source.find, resolved) : createKeyTable(source, resolved);
}

function replaceKeys(table: { keys: ApiKeyTable }, keys: ApiKeyTable): void {
  table.keys = keys;
}

function createKeyTable(source: Extract<ApiKeySource, { kind: 'table' }>, { resource, logger }: ResolvedAuth): ApiKeys {
  const table: { keys: ApiKeyTable } = { keys: source.keys };
  if (source.file !== undefined) {
    watchKeyFile(source.file, { what: 'API keys', parse: parseApiKeys, logger }, table, replaceKeys);
  }
  return {
    // The time of the look-up says nothing about a key: it depends on the hash, which a caller cannot choose bit by bit.
    includes: (credential) => table.keys.has(sha256Of(credential)),
    async verify(credential) {
      const sha256 = sha256Of(credential);
      const key = table.keys.get(sha256);
      if (key === undefined) throw new AuthError('unknown_api_key');
      const auth = authInfoOf(credential, sha256, key, resource?.href);
      requireUnexpired(auth);
      return {
        auth,
        kind: 'apiKey',
        isCurrent: () => table.keys.get(sha256) === key,
        withdrawal: () => (isAsGood(table.keys.get(sha256), key) ? undefined : 'unknown_api_key'),
        jwt: undefined,
      };
    },
  };
}

/** True if calls and streams that began with the entry `before` may go on: today's entry has not expired, and gives the same user as much. */
function isAsGood(entry: ResolvedApiKey | undefined, before: ResolvedApiKey): boolean {
  if (entry === undefined || (entry.expiresAt ?? Number.POSITIVE_INFINITY) * 1_000 <= Date.now()) return false;
  return entry === before || givesAsMuch(entry, before);
}

const WHO = 'apiKeys()';

function createAskedKeys(
  find: Extract<ApiKeySource, { kind: 'function' }>['find'],
  { resource }: ResolvedAuth,
): ApiKeys {
  const answers = new RememberedAnswers({
    kind: 'apiKey',
    refusal: 'unknown_api_key',
    ...FUNCTION_LIMITS,
    async ask(credential) {
      const sha256 = sha256Of(credential);
      const context = { who: WHO, code: 'api_keys_unavailable', credential } as const;
      const given: unknown = await callInTime<unknown>(() => find(sha256), context);
      if (given === undefined || given === null) return undefined;
      let key: ResolvedApiKey;
      try {
        key = readKey(given);
      } catch (error) {
        throw outageFor(error, context);
      }
      const auth = authInfoOf(credential, sha256, key, resource?.href);
      requireUnexpired(auth);
      return auth;
    },
  });
  return { includes: () => false, verify: (credential) => answers.verify(credential) };
}

function readKey(given: unknown): ResolvedApiKey {
  const fail = (reason: string): never => {
    throw new TypeError(`it returned a key that cannot be used: ${reason}`);
  };
  if (!isRecord(given)) return fail('it is not an object');
  // The function often returns a row of a database, which has the hash too.
  const { sha256: _, ...known } = given;
  return parseApiKey(known, fail);
}

function requireUnexpired(auth: AuthInfo): void {
  if (expiryOf(auth) <= Date.now())
    throw new AuthError('token_expired', { sub: auth.subject, client_id: auth.clientId });
}

/** Hexadecimal digits of the hash: enough to tell any two keys apart. */
const ID_LENGTH = 32;

/** The hash is the client, so that two keys of one user share no session. */
function authInfoOf(token: string, sha256: string, key: ResolvedApiKey, resource: string | undefined): AuthInfo {
  const { subject, scopes, claims, expiresAt } = key;
  const clientId = `key-${sha256.slice(0, ID_LENGTH)}`;
  const exp = expiresAt === undefined ? {} : { exp: expiresAt };
  const sub = subject === undefined ? {} : { sub: subject };
  const payload = {
    ...structuredClone(claims),
    iss: API_KEY_ISSUER,
    ...sub,
    client_id: clientId,
    scope: scopes.join(' '),
    ...exp,
  };
  return issueAuth({
    token,
    clientId,
    ...(subject === undefined ? {} : { subject }),
    scopes: [...scopes],
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(resource === undefined ? {} : { resource: new URL(resource) }),
    extra: payload,
    header: {},
    payload,
  });
}
