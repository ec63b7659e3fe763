import type { IncomingMessage, ServerResponse } from 'node:http';
import { readForm } from '../http/form.js';
import { escapeHtml, nameToHtml } from '../http/html.js';
import { replyPage } from '../http/page.js';
import type { AuthorizationRequest, Requester } from './authorization-request.js';
import { fingerprint, isConfiguredClient } from './clients.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { isForeignHttps } from './redirect-uri.js';
import type { Browser } from './sealed-contents.js';

const ANSWER_SECONDS = 1_800;
const MAX_FORM_BYTES = 32_768;

/**
 * Identifies the consent that a request needs; undefined if it needs none here. If all clients share one client id, the
 * upstream server asks its user only once, so this server must ask about each client (MCP security best practices: confused
 * deputy). About a client with its own id the upstream server asks, but it only knows our callback. So this server must ask,
 * too, if the answer then goes to another host.
 */
export function consentFingerprint(
  { options }: OAuthProxyContext,
  { client, redirectUri, registeredUri }: Requester,
  { scopes }: AuthorizationRequest,
): string | undefined {
  if (!isConfiguredClient(options, client) && !isForeignHttps(redirectUri, options.resource.host)) return undefined;
  return fingerprint(client.id, registeredUri, ...scopes.toSorted());
}

/** Answers with the consent page for a request. */
export function askForConsent(
  { options, seal, endpoints }: OAuthProxyContext,
  res: ServerResponse,
  asked: { requester: Requester; request: AuthorizationRequest; browser: Browser; query: string },
): void {
  const { requester, request, browser, query } = asked;
  const question = { query, browserId: browser.id };
  const name = nameToHtml(requester.client.name);
  const who = name === undefined ? 'a client without a name' : `“${name}”`;
  const scopes = request.scopes.map((scope) => `<li>${escapeHtml(scope)}</li>`).join('');
  replyPage(
    res,
    200,
    `Allow a client to use ${options.resource.host}?`,
    `<p>The client chose this name itself. Allow it only if you have just started it.</p>
<dl><dt>Server</dt><dd>${escapeHtml(options.resource.href)}</dd>
<dt>Answer goes to</dt><dd>${escapeHtml(describeTarget(requester.redirectUri))}</dd>
<dt>It asks for</dt><dd>${scopes === '' ? 'no particular scope' : `<ul>${scopes}</ul>`}</dd></dl>
<form method="post" action="${escapeHtml(endpoints.consent)}">
<input type="hidden" name="request" value="${escapeHtml(seal.close('consent', question, ANSWER_SECONDS))}">
<button type="submit" name="decision" value="deny">Deny</button>
<button type="submit" name="decision" value="allow">Allow</button></form>`,
    `Allow ${who} to use ${escapeHtml(options.resource.host)}?`,
  );
}

function describeTarget(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri);
  if (protocol === 'https:') return host;
  return protocol === 'http:' ? `${host} (a program on this computer)` : `the app that opens ${protocol} links`;
}

/**
 * Reads the user's answer, and the request that it is about.
 *
 * @throws {OAuthError} If the page was shown in another browser: its user is not the one who answers (CVE-2026-27124).
 */
export async function readConsent(
  { seal, loginCookies }: OAuthProxyContext,
  req: IncomingMessage,
): Promise<{ query: string; allowed: boolean; browser: Browser }> {
  const form = await readForm(req, MAX_FORM_BYTES);
  const question = seal.open('consent', form?.get('request'));
  const browser = question && loginCookies.find(req, question.browserId);
  if (question === undefined || browser === undefined) {
    throw new OAuthError('invalid_request', 'This page has expired or was shown in another browser');
  }
  return { query: question.query, allowed: form?.get('decision') === 'allow', browser };
}
