import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import { printableAscii } from '../../core/printable.js';
import { escapeHtml, nameToHtml } from '../../http/html.js';
import { NO_SNIFF } from '../../http/no-sniff.js';
import { replyPage } from '../../http/page.js';
import { withoutClosingSlash } from '../../http/well-known.js';
import type { Logger } from '../../index.js';
import { type DevResource, scopesFor } from './dev-resource.js';

/** The one user. */
export const USER = 'developer';

interface LoginParts {
  readonly provider: Provider;
  readonly resources: readonly DevResource[];
  readonly logger: Logger;
}

/** Shows the page with one button, or handles its click. */
export async function interact(parts: LoginParts, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { provider, resources, logger } = parts;
  try {
    const { params } = await provider.interactionDetails(req, res);
    const client = await provider.Client.find(params.client_id as string);
    if (req.method === 'POST') {
      const result = await agree(provider, params, resources);
      warnOfUnknownScopes({ resources, logger }, params, client?.clientName);
      await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
    } else {
      replyLoginPage(res, client?.clientName, new URL(params.redirect_uri as string));
    }
  } catch (error) {
    const status = (error as Error).name === 'SessionNotFound' ? 400 : 500;
    res.writeHead(status, { 'content-type': 'text/plain', ...NO_SNIFF });
    res.end('This login has expired or was started in another browser. Connect again from your client.');
  }
}

/** Logs in the one user, and grants every scope that the client asks for. */
async function agree(provider: Provider, params: Record<string, unknown>, resources: readonly DevResource[]) {
  const scope = String(params.scope ?? 'openid');
  const grant = new provider.Grant({ accountId: USER, clientId: params.client_id as string });
  grant.addOIDCScope(scope);
  for (const { resource } of resources) {
    for (const spelling of [resource, `${resource}/`, withoutClosingSlash(resource)])
      grant.addResourceScope(spelling, scope);
  }
  return { login: { accountId: USER }, select_account: {}, consent: { grantId: await grant.save() } };
}

/** Characters of each text in a log line that the client chose. */
const MAX_TEXT_LENGTH = 200;

/** Scopes of OpenID Connect (Core, sections 5.4 and 11), which some clients always ask for. No call of a tool needs them. */
const OPENID_SCOPES = ['openid', 'offline_access', 'profile', 'email', 'address', 'phone'];

/** oidc-provider leaves scopes out that it does not know. The client learns of it only when it is refused again. */
function warnOfUnknownScopes(
  { resources, logger }: Omit<LoginParts, 'provider'>,
  { scope = '', resource }: Record<string, unknown>,
  clientName: string | undefined,
): void {
  const indicators = [resource ?? []].flat().map(String);
  const known = indicators.flatMap((indicator) => scopesFor(resources, indicator) ?? []);
  const unknown = String(scope)
    .split(' ')
    .filter((each) => !['', ...OPENID_SCOPES, ...known].includes(each));
  if (unknown.length === 0) return;
  const [scopes, client, where] = [unknown.join(' '), clientName ?? '', indicators.join(' ')].map((text) =>
    printableAscii(text, MAX_TEXT_LENGTH),
  );
  const fix = `If the server needs them, list them as resourceMetadata.scopesSupported beside this resource`;
  logger.warn(
    `the development issuer did not grant ${scopes} to the client "${client}": the file has no such scopes for ${where}. ${fix}`,
  );
}

/** Shows one button. The page cannot be framed, so no other page can trick the user into the click. */
function replyLoginPage(res: ServerResponse, name: string | undefined, { host, protocol }: URL): void {
  const target = host === '' ? protocol : host;
  const content = `<p><strong>${nameToHtml(name) ?? 'A client without a name'}</strong> asks for a token, which will be sent to
<strong>${escapeHtml(target)}</strong>. Continue only if you have just connected this client.</p>
<form method="post"><button>Log in as developer</button></form>`;
  replyPage(res, 200, 'Log in for development', content);
}

/**
 * Completes an authorization request, so that oidc-provider grants every scope in it.
 *
 * @param scopes For a request that names none (RFC 6749, section 3.3): without scopes, the login would fail.
 */
export function completeAuthorizationRequest(target: string, scopes: readonly string[]): string {
  const [path, query = ''] = target.split(/\?(.*)/s, 2);
  if (path !== '/auth') return target;
  const parameters = new URLSearchParams(query);
  if (!parameters.has('scope')) parameters.set('scope', ['openid', ...scopes].join(' '));
  addConsent(parameters);
  return `${path}?${parameters}`;
}

/**
 * OpenID Connect Core, section 11, grants `offline_access` only with `prompt=consent`. Clients that do not get it, but name
 * it at each refresh, as Codex does, would be refused. The click is the consent.
 */
function addConsent(parameters: URLSearchParams): void {
  const prompts = parameters.getAll('prompt');
  const words = (prompts[0] ?? '').split(' ').filter((word) => word !== '');
  const asksOffline = (parameters.get('scope') ?? '').split(' ').includes('offline_access');
  if (!asksOffline || prompts.length > 1 || words.includes('none') || words.includes('consent')) return;
  parameters.set('prompt', [...words, 'consent'].join(' '));
}
