import { randomBytes } from 'node:crypto';
import type { KnownApiKey } from '../index.js';
import { createApiKey, sha256Of } from '../oauth/api-key.js';

/** The client with which a policy asks about opaque tokens. */
export const INTROSPECTION_CLIENT = Object.freeze({ clientId: 'test-resource', clientSecret: 'test-resource-secret' });

const { clientId, clientSecret } = INTROSPECTION_CLIENT;
const AUTHORIZATION = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

type Claims = Readonly<Record<string, unknown>>;

/** Makes API keys and opaque tokens for tests, and knows those that it made. */
export function createTestCredentials() {
  const apiKeys = new Map<string, KnownApiKey>();
  const opaqueTokens = new Map<string, Claims>();
  return {
    makeApiKey(known: KnownApiKey): string {
      const { key, sha256 } = createApiKey();
      apiKeys.set(sha256, known);
      return key;
    },
    findApiKey: (sha256: string): KnownApiKey | undefined => apiKeys.get(sha256),
    makeOpaqueToken(claims: Claims): string {
      const token = randomBytes(32).toString('base64url');
      opaqueTokens.set(sha256Of(token), claims);
      return token;
    },
    /** RFC 7662, section 2. */
    introspect(form: URLSearchParams, authorization: string | undefined): readonly [number, object] {
      if (authorization !== AUTHORIZATION) return [401, { error: 'invalid_client' }];
      const claims = opaqueTokens.get(sha256Of(form.get('token') ?? ''));
      const isActive = claims !== undefined && !(Number(claims.exp) <= Date.now() / 1000);
      return [200, isActive ? { ...claims, active: true, token_type: 'Bearer' } : { active: false }];
    },
  };
}
