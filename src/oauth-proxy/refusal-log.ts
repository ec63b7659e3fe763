import type { IncomingMessage } from 'node:http';
import type { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import { BodyError } from '../http/body.js';
import type { OAuthProxyEndpointName } from '../oauth/well-known.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OAuthError, type OAuthErrorName } from './oauth-error.js';
import { UpstreamRefusal } from './upstream-answer.js';

/** The kind of request that was refused. */
export type Act = 'registration' | 'login' | 'code' | 'refresh' | 'revocation' | 'request';

export const ACTS: Readonly<Record<OAuthProxyEndpointName, Act>> = Object.freeze({
  metadata: 'request',
  registration: 'registration',
  authorize: 'login',
  consent: 'login',
  callback: 'login',
  token: 'request',
  revocation: 'revocation',
});

export type Refused = OAuthError | BodyError | UpstreamRefusal;

export type RefusalLog = ReturnType<typeof createRefusalLog>;

/** Anyone can be refused as often as they like: no more lines than an operator can read. */
const MAX_LINES_A_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_QUOTED = 300;

/** Logs every refusal in one line: which client, what was refused, by whom, why, and what to change. */
export function createRefusalLog({ provider }: Pick<ResolvedOAuthProxy, 'provider'>, logger: Logger) {
  const known = new WeakMap<IncomingMessage, { client?: string | undefined; act?: Act }>();
  const [isWithinBounds, isOutageWithinBounds] = [limitLines(), limitLines()];
  return {
    /** Remembers what a request is about, for the line about it. */
    about(req: IncomingMessage, what: { client?: string | undefined; act?: Act }): void {
      known.set(req, { ...known.get(req), ...what });
    },
    write(req: IncomingMessage, endpoint: Act, error: Refused): void {
      const verdict = isWithinBounds();
      if (verdict === 'over') return;
      const { client, act = endpoint } = known.get(req) ?? {};
      const who = client === undefined ? 'a client without a name' : `the client ${quote(client)}`;
      const by = error instanceof UpstreamRefusal ? 'the authorization server' : 'this server';
      logger.warn(
        `OAuth proxy: ${act} of ${who} refused by ${by}: ${reasonOf(error)}; ${adviceFor(error, act, provider)}`,
      );
      if (verdict === 'last') logger.warn('OAuth proxy: further refusals of this minute are not logged');
    },
    /** Anyone can ask while the server behind us is away, and as often. */
    writeOutage({ message, code, cause }: UpstreamError): void {
      const verdict = isOutageWithinBounds();
      if (verdict === 'over') return;
      logger.error(`OAuth proxy: ${message}: ${(cause as Error | undefined)?.message ?? code}`);
      if (verdict === 'last') logger.error('OAuth proxy: further outages of this minute are not logged');
    },
  };
}

/** By the monotonic clock: a change of the date must not silence the log. */
function limitLines(): () => 'within' | 'last' | 'over' {
  let began = Number.NEGATIVE_INFINITY;
  let lines = 0;
  return () => {
    const now = performance.now();
    if (now - began >= MINUTE_MS) [began, lines] = [now, 0];
    lines += 1;
    if (lines < MAX_LINES_A_MINUTE) return 'within';
    return lines === MAX_LINES_A_MINUTE ? 'last' : 'over';
  };
}

function reasonOf(error: Refused): string {
  if (!(error instanceof UpstreamRefusal)) return error.message;
  const { error: name = '', error_description: description } = error.body;
  return `${error.status} ${quote(name)}${description === undefined ? '' : ` ${quote(description)}`}`;
}

const ADVICE_OURS: Readonly<Partial<Record<OAuthErrorName, string>>> = {
  invalid_client: 'it has to register again; if that happens after every restart, set oauthProxy.secret',
  invalid_grant: 'the user has to log in again; if that happens after every restart, set oauthProxy.secret',
  invalid_redirect_uri: 'if that client is to log in, allow it in oauthProxy.allowedRedirectUris, or correct it there',
  invalid_target: 'set resourceMetadata.resource to the address that clients use',
  invalid_scope: 'correct the scopes in the configuration of that client',
  access_denied: 'nothing, if that was the user; else give a "clientId"',
};

const ADVICE_UPSTREAM: Readonly<Record<string, string>> = {
  invalid_scope: 'in scopesSupported and requiredScopes, name only scopes that it gives to this client',
  invalid_target: 'make resourceMetadata.resource known there as a resource or an API',
  invalid_grant: 'the user has to log in again',
  invalid_client: 'the client has to register again',
  access_denied: 'nothing, if that was the user; else its own log says why',
};

/** The advice for the operator, or for the one who runs the client. */
function adviceFor(error: Refused, act: Act, { registration }: ResolvedOAuthProxy['provider']): string {
  if (error instanceof OAuthError) return ADVICE_OURS[error.error] ?? 'the client has to be corrected';
  if (error instanceof BodyError) return 'the client has to be corrected';
  if (act === 'registration') return registration?.hint ?? 'let clients register there, or give a "clientId"';
  return ADVICE_UPSTREAM[error.body.error ?? ''] ?? 'its own log may say more';
}

/** Text of others: cut, and without what would make another line of it, or move a terminal's cursor. */
function quote(text: string): string {
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return JSON.stringify(cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?'));
}
