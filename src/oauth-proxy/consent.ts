import type { IncomingMessage } from 'node:http';
import { readForm } from '../http/form.js';
import { matchesClientId } from '../policy/resolve-client-documents.js';
import type { AuthorizationRequest, Requester } from './authorization-request.js';
import { type Client, sharesClient } from './client.js';
import type { OAuthProxyContext } from './context.js';
import { fingerprint } from './fingerprint.js';
import { grantedScopes } from './issuing/scopes-of-tokens.js';
import { OAuthError } from './oauth-error.js';
import { isForeignHttps } from './redirect-uri.js';
import type { Browser } from './sealed-contents.js';

const MAX_FORM_BYTES = 32_768;

/**
 * Identifies the consent that a request needs; undefined if it needs none here. If all clients share one client id, the
 * upstream server asks its user only once, so this server must ask about each client (MCP security best practices: confused
 * deputy). About a client with its own id the upstream server asks, but it only knows our callback. So this server must ask,
 * too, if the answer then goes to another host. A client that did not register itself shares its client there with everyone who
 * uses its id, so this server always asks, except about documents that the operator trusts.
 */
export function consentFingerprint(
  { options }: OAuthProxyContext,
  { client, redirectUri, registeredUri }: Requester,
  request: AuthorizationRequest,
): string | undefined {
  const isAsked = sharesUpstreamClient(options, client) || isForeignHttps(redirectUri, options.resource.host);
  if (!isAsked || isTrusted(options, client)) return undefined;
  return fingerprint(client.id, registeredUri, ...consentScopes(options, request).toSorted());
}

/** The scopes that the user is asked about. A server that issues the tokens knows which ones they will have. */
export function consentScopes(
  options: OAuthProxyContext['options'],
  { scopes }: AuthorizationRequest,
): readonly string[] {
  return options.issuing === undefined ? scopes : grantedScopes(options, scopes);
}

/** True if other clients, or other users of the same client id, have the same client at the upstream server. */
function sharesUpstreamClient(options: OAuthProxyContext['options'], client: Client): boolean {
  return client.source !== 'registered' || sharesClient(options, client);
}

function isTrusted({ clientDocuments }: OAuthProxyContext['options'], { source, id }: Client): boolean {
  return source === 'document' && clientDocuments.skipConsent.some((pattern) => matchesClientId(pattern, id));
}

/**
 * Reads the user's answer, and the request that it is about.
 *
 * @throws {OAuthError} If the page was shown in another browser: its user is not the one who answers (CVE-2026-27124).
 */
export async function readConsent(
  { seal, loginCookies }: OAuthProxyContext,
  req: IncomingMessage,
): Promise<{ query: string; fingerprint: string | undefined; allowed: boolean; browser: Browser }> {
  const form = await readForm(req, MAX_FORM_BYTES);
  const question = seal.open('consent', form?.get('request'));
  const browser = question && loginCookies.find(req, question.browserId);
  if (question === undefined || browser === undefined) {
    throw new OAuthError('invalid_request', 'This page has expired or was shown in another browser');
  }
  const { query, fingerprint: shown } = question;
  return { query, fingerprint: shown, allowed: form?.get('decision') === 'allow', browser };
}
