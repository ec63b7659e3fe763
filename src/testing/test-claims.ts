import type { KnownApiKey } from '../index.js';
import { createChecks, type OptionChecks } from '../options/checks.js';
import type { TestApiKeyOptions, TestTokenOptions } from './test-issuer.js';

const DEFAULTS = Object.freeze({ sub: 'test-user', clientId: 'test-client' });
const HOUR_SECONDS = 3600;

const TOKEN_OPTIONS = ['sub', 'scopes', 'clientId', 'expiresInSeconds', 'claims', 'header'] as const;
const API_KEY_OPTIONS = ['subject', 'scopes', 'claims', 'expiresInSeconds'] as const;

/**
 * Checks the options of a token.
 *
 * @param who The function that the developer called, for example `token()`.
 * @throws {ConfigError}
 */
export function readTokenOptions(who: string, options: TestTokenOptions = {}): TestTokenOptions {
  return readTestOptions(createChecks(who), options, TOKEN_OPTIONS satisfies readonly (keyof TestTokenOptions)[]);
}

/** JavaScript may give anything: an option that is ignored makes a token that is not the one of the test. */
function readTestOptions<O extends object>(checks: OptionChecks, options: O, known: readonly (keyof O & string)[]): O {
  const given = checks.record(options, 'options', `Leave it out, or give { ${known.join(', ')} }.`);
  checks.knownKeys(given, '', known);
  const { scopes, expiresInSeconds, claims, header } = given;
  if (scopes !== undefined) checks.strings(scopes, 'scopes', 'Write scopes: ["notes:read"].');
  if (expiresInSeconds !== undefined && !Number.isFinite(expiresInSeconds))
    checks.refuse('expiresInSeconds', 'a number of seconds', expiresInSeconds, 'Leave it out for an hour.');
  if (claims !== undefined) checks.record(claims, 'claims', 'Write claims: { role: "admin" }.');
  if (header !== undefined) checks.record(header, 'header', 'Write header: { typ: "JWT" }.');
  return options;
}

/** The claims of a token that its options do not say. */
export interface TokenPlace {
  readonly issuer: string;
  readonly audience: string;
  /** The claim that names the audience, beside `aud`. */
  readonly audienceClaim: string;
}

/** Builds the claims of a token from checked options. */
export function buildTestClaims(
  { issuer, audience, audienceClaim }: TokenPlace,
  options: TestTokenOptions,
): Readonly<Record<string, unknown>> {
  const { sub = DEFAULTS.sub, scopes = [], expiresInSeconds = HOUR_SECONDS } = options;
  const now = Math.floor(Date.now() / 1000);
  const exp = now + expiresInSeconds;
  // A token that is valid was issued now, so that a revocation before it does not count. An expired one was issued before it expired.
  const iat = exp > now ? now : exp - HOUR_SECONDS;
  return {
    ...{ iss: issuer, aud: audience, sub, client_id: DEFAULTS.clientId, scope: scopes.join(' '), iat, exp },
    [audienceClaim]: audience,
    ...(options.clientId !== undefined && { client_id: options.clientId }),
    ...options.claims,
  };
}

/**
 * Builds what is known of an API key.
 *
 * @throws {ConfigError}
 */
export function buildTestApiKey(options: TestApiKeyOptions = {}): KnownApiKey {
  const checks = createChecks('apiKey()');
  const given = readTestOptions(checks, options, API_KEY_OPTIONS satisfies readonly (keyof TestApiKeyOptions)[]);
  const { subject = DEFAULTS.sub, scopes = [], claims = {}, expiresInSeconds = HOUR_SECONDS } = given;
  return { subject, scopes, claims, expires: new Date(Date.now() + expiresInSeconds * 1_000).toISOString() };
}
