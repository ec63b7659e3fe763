import { UpstreamError } from '../core/errors.js';
import { printable, printableJson } from '../core/printable.js';
import { CallError, outageOf, type ServerAnswer } from '../upstream/call-server.js';
import { OAuthError } from './oauth-error.js';

/** RFC 6749, section 5.1: an answer that may hold a token must not be cached. */
export const NO_STORE = Object.freeze({ 'cache-control': 'no-store', pragma: 'no-cache' });

/** Makes an outage of a call that brought nothing usable. */
export function toUpstreamError(error: unknown): never {
  if (!(error instanceof CallError)) throw error;
  throw new UpstreamError(outageOf(error), { cause: error });
}

/** As JSON: what is nested deeply enough can be read, and not be written. */
export function writeAnswer(answer: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(answer);
  } catch (cause) {
    throw new UpstreamError('authorization_server_malformed', { cause });
  }
}

/** The answer, without what it repeats of the secrets that were sent: neither a client nor a log may learn them. */
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

  constructor(status: number, body: Readonly<Record<string, string>>) {
    super(`the authorization server answered ${status} ${printableJson(body.error, 80)}`);
    this.status = status;
    this.body = body;
  }
}

const ERROR_MEMBERS = ['error', 'error_description', 'error_uri'];
const MAX_MEMBER_LENGTH = 1_000;

/**
 * Maps a server's refusal to the error for the client.
 *
 * @param otherwise The error where the answer names none: servers without an endpoint answer 404 and a page.
 * @param isShared The request was made for the client that was configured here: only the operator can
 * mend a refusal of that one. An MCP client that saw it would throw its own registration away.
 */
export function refusalOf(
  { status, body }: Pick<ServerAnswer, 'status' | 'body'>,
  otherwise: readonly [error: OAuthError['error'], description: string],
  isShared = false,
): Error {
  if (typeof body?.error !== 'string') return new OAuthError(...otherwise, status === 404 ? 403 : status);
  if (isShared && ['invalid_client', 'unauthorized_client'].includes(body.error)) {
    const cause = new Error(`it answered ${status} "${body.error}"; check clientId and clientSecret`);
    return new UpstreamError('client_refused', { cause });
  }
  const members = ERROR_MEMBERS.flatMap((name): [string, string][] => {
    const value = body[name];
    return typeof value === 'string' ? [[name, printable(value, MAX_MEMBER_LENGTH)]] : [];
  });
  return new UpstreamRefusal(status, Object.fromEntries(members));
}
