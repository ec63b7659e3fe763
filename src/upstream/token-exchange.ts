import { UpstreamError } from '../core/errors.js';
import { printable } from '../core/printable.js';
import { UpstreamTokenError } from '../core/upstream-token-error.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { basicHeader, formEncode } from './basic-header.js';
import { CallError, callServer, outageOf, type ServerAnswer, type ServerCall } from './call-server.js';
import { isPassingError } from './passing-errors.js';

/** A client that may exchange tokens, and the rules of the server. */
export interface TokenExchange {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authMethod: 'client_secret_basic' | 'client_secret_post';
  /** Returns the parameters of the request, without the client's credentials. */
  parameters(subjectToken: string): readonly (readonly [name: string, value: string])[];
  /** True if the answer must have `issued_token_type`. */
  readonly namesTokenType: boolean;
  /** Returns the server's own code for a refusal. */
  refusalDetail(description: string): string | undefined;
}

/** A token for another API. */
export interface ExchangedToken {
  readonly token: string;
  /** Undefined if the server does not say. */
  readonly lifetimeSeconds: number | undefined;
}

/** Logs a failure in a line without any token. Each kind is remembered, so there must be few. */
export type LogFailure = (kind: string, line: string) => void;

/**
 * Exchanges the token of a user for one of another API (RFC 8693, or as the rules of the server say).
 *
 * @throws {UpstreamTokenError} If the server refuses to exchange this token.
 * @throws {UpstreamError} If it cannot be asked, its answer cannot be used, or it does not accept the client.
 */
export async function exchangeToken(
  url: URL,
  subjectToken: string,
  exchange: TokenExchange,
  log: LogFailure,
): Promise<ExchangedToken> {
  const call = callFor(subjectToken, exchange);
  const at = `token exchange at ${url.origin}${url.pathname}`;
  const answer = await callServer(url, call).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
    log('unreachable', `token exchange: ${error.message}`);
    throw new UpstreamError(outageOf(error), { evidence: { reason: error.message }, retryAfterSeconds: 5 });
  });
  if (answer.status !== 200) throw refusalFrom(answer, exchange, (kind, line) => log(kind, `${at}: ${line}`));
  const read = readAnswer(answer.body ?? {}, subjectToken, exchange);
  if (typeof read !== 'string') return read;
  log('unusable', `${at}: its answer cannot be used: ${read}`);
  throw new UpstreamError('authorization_server_malformed', { evidence: { reason: read } });
}

function callFor(subjectToken: string, exchange: TokenExchange): ServerCall {
  const { clientId, clientSecret, authMethod } = exchange;
  const form = new URLSearchParams();
  for (const [name, value] of exchange.parameters(subjectToken)) form.append(name, value);
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  if (authMethod === 'client_secret_basic') {
    const headers = { ...type, ...basicHeader(formEncode(clientId), formEncode(clientSecret)) };
    return { method: 'POST', headers, body: form.toString() };
  }
  form.append('client_id', clientId);
  form.append('client_secret', clientSecret);
  return { method: 'POST', headers: type, body: form.toString() };
}

/** Errors about this server's own client (RFC 6749, section 5.2). */
const CLIENT_ERRORS: readonly unknown[] = ['invalid_client', 'unauthorized_client'];
/** The server may answer otherwise later (RFC 9110, section 15.5.9, and RFC 6585, section 4). */
const LATER: readonly number[] = [408, 429];
const ERROR_CODE = /^[\w.:-]{1,64}$/;

function refusalFrom({ status, body }: ServerAnswer, exchange: TokenExchange, log: LogFailure): Error {
  const named = typeof body?.error === 'string' && ERROR_CODE.test(body.error) ? body.error : undefined;
  const description = typeof body?.error_description === 'string' ? body.error_description : '';
  const detail = exchange.refusalDetail(description);
  const evidence = { status, ...(named && { error: named }), ...(detail && { detail }) };
  log(String(status), [`it answered with status ${status}`, named ?? [], quoted(description)].flat().join(' '));
  if (status === 401 || CLIENT_ERRORS.includes(named)) return new UpstreamError('client_refused', { evidence });
  if (LATER.includes(status) || isPassingError(named))
    return new UpstreamError('authorization_server_unavailable', { evidence, retryAfterSeconds: 5 });
  if (named === undefined) return new UpstreamError('authorization_server_malformed', { evidence });
  return new UpstreamTokenError('exchange_refused', evidence);
}

const MAX_DESCRIPTION_LENGTH = 200;
/** Long words of a description: it may repeat a token or a secret. */
const LONG_WORDS = /[\w.~+/=-]{20,}/g;

function quoted(description: string): string | [] {
  return description === '' ? [] : `(${printable(description.replace(LONG_WORDS, '…'), MAX_DESCRIPTION_LENGTH)})`;
}

/** The values of `issued_token_type` of an access token (RFC 8693, section 3). */
const ACCESS_TOKEN_TYPES: readonly unknown[] = [
  'urn:ietf:params:oauth:token-type:access_token',
  'urn:ietf:params:oauth:token-type:jwt',
];
/** The characters of a token in a header (RFC 6750, section 2.1), and the others that are visible. */
const TOKEN = /^[\x21-\x7e]+$/;

/** Returns the token, or what is wrong with the answer (RFC 8693, section 2.2.1). */
function readAnswer(
  body: Readonly<Record<string, unknown>>,
  subjectToken: string,
  { namesTokenType }: TokenExchange,
): ExchangedToken | string {
  const { access_token: token, issued_token_type: issuedType, token_type: type, expires_in: lifetime } = body;
  if (typeof token !== 'string' || !TOKEN.test(token)) return 'it has no "access_token"';
  if (token === subjectToken) return 'its "access_token" is the token that was to be exchanged';
  if ((namesTokenType || issuedType !== undefined) && !ACCESS_TOKEN_TYPES.includes(issuedType))
    return 'its "issued_token_type" is not that of an access token';
  // A token that is bound to a key (DPoP) cannot be used without that key.
  if (typeof type !== 'string' || lowerAscii(type) !== 'bearer') return 'its "token_type" is not Bearer';
  const seconds = Number(lifetime);
  return { token, lifetimeSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : undefined };
}
