import type { IncomingMessage } from 'node:http';
import type { UpstreamError } from '../core/errors.js';
import type { Logger } from '../core/logger.js';
import type { OAuthProxyEndpointName } from '../oauth/well-known.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OAuthError } from './oauth-error.js';
import { type Act, type Refused, remedyFor } from './refusal-remedy.js';
import { listUris } from './registration-redirect-uris.js';
import { UpstreamRefusal } from './upstream-answer.js';

/** The kind of request that each endpoint gets. */
export const ACTS: Readonly<Record<OAuthProxyEndpointName, Act>> = Object.freeze({
  metadata: 'request',
  noKeys: 'request',
  registration: 'registration',
  authorize: 'login',
  consent: 'login',
  callback: 'login',
  token: 'request',
  revocation: 'revocation',
});

export type RefusalLog = ReturnType<typeof createRefusalLog>;

/** Anyone can cause refusals. The limit keeps the log readable. */
const MAX_LINES_A_MINUTE = 30;
const MINUTE_MS = 60_000;
const MAX_QUOTED = 300;

/** Logs every refusal in one line: which client, what was refused, by whom, why, and what to change. */
export function createRefusalLog({ provider }: Pick<ResolvedOAuthProxy, 'provider'>, logger: Logger) {
  const known = new WeakMap<IncomingMessage, { client?: string | undefined; act?: Act }>();
  const [isWithinBounds, isOutageWithinBounds, isNotAllowedWithinBounds] = [limitLines(), limitLines(), limitLines()];
  const clientOf = (req: IncomingMessage) => {
    const client = known.get(req)?.client;
    return client === undefined ? 'a client without a name' : `the client ${quote(client)}`;
  };
  return {
    /** Notes the client, or the kind, of a request for its log line. */
    about(req: IncomingMessage, what: { client?: string | undefined; act?: Act }): void {
      known.set(req, { ...known.get(req), ...what });
    },
    write(req: IncomingMessage, endpoint: Act, error: Refused): void {
      const verdict = isWithinBounds();
      if (verdict === 'over') return;
      const { act: noted = endpoint } = known.get(req) ?? {};
      const act = error instanceof UpstreamRefusal && error.isOfRegistration ? 'registration' : noted;
      const by = error instanceof UpstreamRefusal ? 'the authorization server' : 'this server';
      logger.warn(
        `OAuth proxy: ${act} of ${clientOf(req)} refused by ${by}: ${reasonOf(error)}; ${remedyFor(error, act, provider)}`,
      );
      if (verdict === 'last') logger.warn('OAuth proxy: further refusals in this minute are not logged');
    },
    /** Logs the redirect URIs that a registration leaves out. */
    writeNotAllowed(req: IncomingMessage, uris: readonly string[]): void {
      const verdict = isNotAllowedWithinBounds();
      if (verdict === 'over') return;
      logger.info(
        `OAuth proxy: registration of ${clientOf(req)} without ${listUris(uris)}: to allow one, add it to oauthProxy.allowedRedirectUris`,
      );
      if (verdict === 'last') logger.info('OAuth proxy: further redirect URIs in this minute are not logged');
    },
    /** Logs an outage, with a limit of its own: anyone can send requests while the upstream server is down. */
    writeOutage({ message, code, cause }: UpstreamError): void {
      const verdict = isOutageWithinBounds();
      if (verdict === 'over') return;
      logger.error(`OAuth proxy: ${message}: ${(cause as Error | undefined)?.message ?? code}`);
      if (verdict === 'last') logger.error('OAuth proxy: further outages in this minute are not logged');
    },
  };
}

/** Uses the monotonic clock: a change of the date must not silence the log. */
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
  if (error instanceof OAuthError) return error.note.reason ?? error.message;
  if (!(error instanceof UpstreamRefusal)) return error.message;
  const { error: name = '', error_description: description } = error.body;
  return `${error.status} ${quote(name)}${description === undefined ? '' : ` ${quote(description)}`}`;
}

/** Quotes foreign text: shortened, and without line breaks and characters that move a terminal's cursor. */
function quote(text: string): string {
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return JSON.stringify(cut.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?'));
}
