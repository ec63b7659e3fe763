import { UpstreamError } from '../core/errors.js';
import { printable, printableJson } from '../core/printable.js';
import { CallError, outageOf, type ServerAnswer } from '../upstream/call-server.js';
import { isPassingError } from '../upstream/passing-errors.js';
import { OAuthError } from './oauth-error.js';

/** An answer that may contain a token must not be cached (RFC 6749, section 5.1). */
export const NO_STORE = Object.freeze({ 'cache-control': 'no-store', pragma: 'no-cache' });

/** For `catch()`: turns a failed call into an UpstreamError. */
export function toUpstreamError(error: unknown): never {
  if (!(error instanceof CallError)) throw error;
  throw new UpstreamError(outageOf(error), { cause: error });
}

/** Writes JSON. A deeply nested answer that was parsed may still overflow the stack of JSON.stringify(). */
export function writeAnswer(answer: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(answer);
  } catch (cause) {
    throw new UpstreamError('authorization_server_malformed', { cause });
  }
}

/** Removes the secrets that were sent from an error answer that repeats them: neither client nor log may see them. */
export function withoutEcho(answer: ServerAnswer, secrets: readonly (string | undefined)[]): ServerAnswer {
  const { status, body } = answer;
  if (status < 400 || body === undefined) return answer;
  const sent = secrets.flatMap((secret) => (secret === undefined || secret === '' ? [] : [secret]));
  const hide = (value: unknown) =>
    typeof value === 'string' ? sent.reduce((text: string, secret) => text.replaceAll(secret, '…'), value) : value;
  return { ...answer, body: Object.fromEntries(Object.entries(body).map(([name, value]) => [name, hide(value)])) };
}

/** The upstream server refused a request: its error is passed on, as far as it is an OAuth error (RFC 6749, section 5.2). */
export class UpstreamRefusal extends Error {
  override readonly name = 'UpstreamRefusal';
  readonly status: number;
  readonly body: Readonly<Record<string, string>>;
  /** True if it refused to register a client for a login. */
  readonly isOfRegistration: boolean;

  constructor(status: number, body: Readonly<Record<string, string>>, isOfRegistration = false) {
    super(`the authorization server answered ${status} ${printableJson(body.error, 80)}`);
    this.status = status;
    this.body = body;
    this.isOfRegistration = isOfRegistration;
  }
}

/** True if the server does not accept the client itself, whatever it asks for. */
export function isClientUnknown({ body }: Pick<ServerAnswer, 'body'>): boolean {
  return body?.error === 'invalid_client' || body?.error === 'unauthorized_client';
}

/** True if the server says that it has too much to do, cannot answer now, or got the request too slowly. A later request may succeed. */
export function isBusy({ status, body }: Pick<ServerAnswer, 'status' | 'body'>): boolean {
  return status === 429 || status === 408 || isPassingError(body?.error);
}

/** A form of `Retry-After` that a client can wait for: up to an hour. */
const SHORT_WAIT = /^[1-9]\d{0,3}$/;
const MAX_WAIT_SECONDS = 3_600;

/** @param said The answer, for the log. */
export function busyError({ headers }: Pick<ServerAnswer, 'headers'>, said: string): UpstreamError {
  const wait = headers.get('retry-after') ?? '';
  const retryAfterSeconds = SHORT_WAIT.test(wait)
    ? { retryAfterSeconds: Math.min(Number(wait), MAX_WAIT_SECONDS) }
    : {};
  return new UpstreamError('authorization_server_unavailable', { cause: new Error(said), ...retryAfterSeconds });
}

const ERROR_MEMBERS = ['error', 'error_description', 'error_uri'];
const MAX_MEMBER_LENGTH = 1_000;

/**
 * Maps a server's refusal to the error for the client.
 *
 * @param otherwise The error if the answer names none: a server without this endpoint answers 404 with a page.
 * @param isShared True if the request was made for the configured client. Only the operator can correct that client, and an
 * MCP client that saw its refusal would discard its own registration.
 */
export function refusalOf(
  answer: Pick<ServerAnswer, 'status' | 'headers' | 'body'>,
  otherwise: readonly [error: OAuthError['error'], description: string],
  isShared = false,
): Error {
  const { status, body } = answer;
  if (typeof body?.error !== 'string') {
    // The page of a firewall, or an error of a kind of its own. It says nothing about the client.
    if (isBusy(answer)) return busyError(answer, `it answered ${status}`);
    return new OAuthError(...otherwise, status === 404 ? 403 : status);
  }
  if (isShared && isClientUnknown({ body })) {
    const cause = new Error(`it answered ${status} "${body.error}"; check clientId and clientSecret`);
    return new UpstreamError('client_refused', { cause });
  }
  const members = ERROR_MEMBERS.flatMap((name): [string, string][] => {
    const value = body[name];
    return typeof value === 'string' ? [[name, printable(value, MAX_MEMBER_LENGTH)]] : [];
  });
  return new UpstreamRefusal(status, Object.fromEntries(members));
}
