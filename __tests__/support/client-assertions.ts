import type { MaxProofs } from '../../src/auth/binding/proof-shares.js';
import type { UpstreamError } from '../../src/core/errors.js';
import { type Parameters, parseForm } from '../../src/http/form.js';
import {
  type AssertionOptions,
  type ClientAssertions,
  createClientAssertions,
} from '../../src/oauth-proxy/client-assertion.js';
import { createClientKeySets, type KeyedClient } from '../../src/oauth-proxy/client-keys.js';
import { createClientDocuments } from '../../src/oauth-proxy/documents/client-documents.js';
import type { OAuthError } from '../../src/oauth-proxy/oauth-error.js';
import { createRecordingLogger } from './recording-logger.js';

export const ISSUER = 'https://mcp.example/mcp';
export const TOKEN_ENDPOINT = 'https://mcp.example/mcp/token';
export const CLIENT = 'https://client.example/oauth/client.json';
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
export const TOLERANCE = 10;

let ids = 0;
/** In seconds. */
export const now = () => Math.floor(Date.now() / 1_000);
/** The claims of an assertion that is accepted once. */
export const claims = (more: object = {}) => ({
  iss: CLIENT,
  sub: CLIENT,
  aud: ISSUER,
  iat: now(),
  exp: now() + 300,
  jti: `id-${++ids}`,
  ...more,
});

/** The checks of assertions of clients that have their keys in their document, unless `more` says otherwise. */
export function createVerifier(more: Partial<AssertionOptions> = {}, max?: MaxProofs): ClientAssertions {
  const { logger } = createRecordingLogger();
  const keySets = createClientKeySets(createClientDocuments({ allow: undefined }, { hostname: 'mcp.example' }));
  const options = { audiences: [ISSUER, TOKEN_ENDPOINT], clockToleranceSeconds: TOLERANCE, keySets, store: undefined };
  return createClientAssertions({ ...options, logger, ...more }, max);
}

/** Resolves to `accepted`, or to what the client is told. */
export async function verdictOn(
  assertion: string | Readonly<Record<string, string>>,
  client: KeyedClient,
  verifier: ClientAssertions = createVerifier(),
): Promise<string> {
  const form =
    typeof assertion === 'string' ? { client_assertion: assertion, client_assertion_type: ASSERTION_TYPE } : assertion;
  try {
    await verifier.verify(client, parseForm(String(new URLSearchParams(form))) as Parameters, '192.0.2.1');
    return 'accepted';
  } catch (error) {
    const { error: name, code = name, status, message } = error as Partial<OAuthError & UpstreamError>;
    return `${status} ${code}: ${message}`.replace('401 invalid_client: client_assertion is refused: ', '');
  }
}
