import type { ServerResponse } from 'node:http';
import { escapeHtml, nameToHtml } from '../http/html.js';
import { replyPage } from '../http/page.js';
import type { AuthorizationRequest, Requester } from './authorization-request.js';
import { consentScopes } from './consent.js';
import type { OAuthProxyContext } from './context.js';
import type { Browser } from './sealed-contents.js';

const ANSWER_SECONDS = 1_800;

/** Answers with the consent page for a request. */
export function askForConsent(
  { options, seal, endpoints }: OAuthProxyContext,
  res: ServerResponse,
  asked: { requester: Requester; request: AuthorizationRequest; browser: Browser; query: string; consent: string },
): void {
  const { requester, request, browser, query, consent } = asked;
  const { who, introduction, details } = introduce(requester);
  const question = { query, browserId: browser.id, fingerprint: consent };
  const scopes = consentScopes(options, request)
    .map((scope) => `<li>${escapeHtml(scope)}</li>`)
    .join('');
  replyPage(
    res,
    200,
    `Allow a client to use ${options.resource.host}?`,
    `<p>${introduction}Allow it only if you have just started it.</p>
<dl>${details}<dt>Server</dt><dd>${escapeHtml(options.resource.href)}</dd>
<dt>Answer goes to</dt><dd>${escapeHtml(describeTarget(requester.redirectUri))}</dd>
<dt>It asks for</dt><dd>${scopes === '' ? 'no particular scope' : `<ul>${scopes}</ul>`}</dd></dl>
<form method="post" action="${escapeHtml(endpoints.consent)}">
<input type="hidden" name="request" value="${escapeHtml(seal.close('consent', question, ANSWER_SECONDS))}">
<button type="submit" name="decision" value="deny">Deny</button>
<button type="submit" name="decision" value="allow">Allow</button></form>`,
    `Allow ${who} to use ${escapeHtml(options.resource.host)}?`,
  );
}

/** A client on the consent page, in HTML. */
interface Introduction {
  /** For the heading. */
  readonly who: string;
  readonly introduction: string;
  readonly details: string;
}

/** The name of a client cannot be checked. For a document, its host comes first: only its publisher controls that. */
function introduce({ client, redirectUri }: Requester): Introduction {
  const name = nameToHtml(client.name);
  const quoted = name === undefined ? undefined : `“${name}”`;
  if (client.source !== 'document') {
    const introduction = client.source === 'registered' ? 'The client chose this name itself. ' : '';
    return { who: quoted ?? 'a client without a name', introduction, details: '' };
  }
  const called = quoted === undefined ? '' : `The client calls itself ${quoted}. `;
  // Of the redirect URIs of a document, the program chose this one.
  const isLocal = new URL(redirectUri).protocol !== 'https:';
  const warning = isLocal ? '<strong>Any program on this computer can claim to be this client.</strong> ' : '';
  return {
    who: escapeHtml(client.document.host),
    introduction: called + warning,
    details: `<dt>Client</dt><dd>${escapeHtml(client.id)}</dd>\n`,
  };
}

function describeTarget(redirectUri: string): string {
  const { protocol, host } = new URL(redirectUri);
  if (protocol === 'https:') return host;
  return protocol === 'http:' ? `${host} (a program on this computer)` : `the app that opens ${protocol} links`;
}
