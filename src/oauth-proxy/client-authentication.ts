import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Parameters } from '../http/form.js';
import { callerNetwork } from '../limits/caller-address.js';
import { clientIdUrl } from '../oauth/client-id-url.js';
import { hashOfSecret } from '../policy/resolve-proxy-clients.js';
import { type Client, type ClientOfOptions, type DocumentedClient, sharesClient } from './client.js';
import type { OAuthProxyContext } from './context.js';
import { OAuthError } from './oauth-error.js';
import { type BasicHeader, parseBasic } from './parse-basic.js';
import { clientIdOfAssertion } from './read-assertion.js';

/** A client at our token endpoint, after its authentication (RFC 6749, section 2.3). */
export interface AuthenticatedClient {
  readonly client: Client;
  /** The secret of a registered client. Not checked here: only the upstream server knows it. Undefined for every other client. */
  readonly secret: string | undefined;
  readonly method: 'body' | 'basic';
}

/** The credentials that a client sent. */
interface Sent {
  readonly basic: BasicHeader | undefined;
  /** The secrets to try, of which the first is as it was sent. Empty if none was. */
  readonly secrets: readonly string[];
  readonly assertion: string | undefined;
  readonly form: Parameters;
}

/**
 * Finds the client of a form or a Basic header, and authenticates it.
 *
 * @throws {OAuthError}
 * @throws {UpstreamError} Its metadata document, or its keys, cannot be fetched now.
 */
export async function authenticateClient(
  context: Pick<OAuthProxyContext, 'clients' | 'options' | 'assertions'>,
  req: IncomingMessage,
  form: Parameters,
): Promise<AuthenticatedClient> {
  const sent = readSent(req, form);
  const client = await context.clients.find(idIn(context, sent), req);
  if (client.source === 'document') await checkDocumented(context, client, sent, req);
  else if (sent.assertion !== undefined)
    throw refusal('This client has no keys here and must not send an assertion', CORRECT_METHOD);
  else if (client.source === 'configured') checkConfigured(client, sent);
  else {
    // Clients get no secret for the shared client, so this one is guessed, or meant for another server.
    if (sharesClient(context.options, client)) refuseSecret(sent);
    return { client, secret: sent.secrets[0], method: sent.basic === undefined ? 'body' : 'basic' };
  }
  return { client, secret: undefined, method: 'body' };
}

function readSent({ headers }: IncomingMessage, form: Parameters): Sent {
  const basic = headers.authorization === undefined ? undefined : parseBasic(headers.authorization);
  const [inBody, assertion, id] = ['client_secret', 'client_assertion', 'client_id'].map((name) => form.get(name));
  const ways = [basic, inBody, assertion].filter((way) => way !== undefined);
  const isOtherId = basic !== undefined && id !== undefined && !basic.ids.includes(id);
  if (ways.length > 1 || isOtherId) {
    throw new OAuthError('invalid_request', 'The client must authenticate in one way only');
  }
  return { basic, secrets: inBody === undefined ? (basic?.secrets ?? []) : [inBody], assertion, form };
}

/** A client that sends an assertion need not send its id (RFC 7521, section 4.2). */
function idIn({ options }: Pick<OAuthProxyContext, 'options'>, { basic, assertion, form }: Sent): string | undefined {
  const isKnown = (id: string) => options.clients.has(id) || clientIdUrl(id) !== undefined;
  if (basic !== undefined) return basic.ids.find(isKnown) ?? basic.ids[0];
  return form.get('client_id') ?? (assertion === undefined ? undefined : clientIdOfAssertion(assertion));
}

async function checkDocumented(
  { assertions }: Pick<OAuthProxyContext, 'assertions'>,
  { document }: DocumentedClient,
  sent: Sent,
  req: IncomingMessage,
): Promise<void> {
  refuseSecret(sent);
  const { keys } = document;
  if (keys !== undefined) await assertions.verify({ ...document, keys }, sent.form, callerNetwork(req));
  else if (sent.assertion !== undefined)
    throw refusal('The document of this client has no keys, so it must not send an assertion', CORRECT_METHOD);
}

function checkConfigured({ secretHash }: ClientOfOptions, sent: Sent): void {
  if (secretHash === undefined) refuseSecret(sent);
  else if (sent.secrets.length === 0) throw refusal('This client must send its secret', GIVE_SECRET);
  else if (!sent.secrets.some((secret) => timingSafeEqual(hashOfSecret(secret), secretHash))) {
    throw refusal('The secret of the client is wrong', GIVE_SECRET);
  }
}

/**
 * A client without a secret that sends one uses the id of another client, or is set up for another server. A Basic header with an empty
 * secret sends none: the MCP Go SDK tries that first.
 */
function refuseSecret({ secrets }: Pick<Sent, 'secrets'>): void {
  if (secrets.length > 0) {
    throw refusal('This client has no secret and must not send one', CORRECT_METHOD);
  }
}

const GIVE_SECRET = 'give the client the secret that it has in oauthProxy.clients';
const CORRECT_METHOD = 'correct how the client authenticates: its token_endpoint_auth_method';

function refusal(message: string, advice: string): OAuthError {
  return new OAuthError('invalid_client', message, 401, { advice });
}
