import type { IncomingMessage } from 'node:http';
import { type AuthInfo, getAuth, isIssuedAuth } from '../core/auth-info.js';
import { withdrawalOf } from '../core/token-validity.js';
import { tokenExchangeOf, upstreamTokenOf } from '../core/upstream-token.js';
import { UpstreamTokenError } from '../core/upstream-token-error.js';
import { isRecord } from '../http/json-object.js';

/** The AuthInfo of this package, or the MCP SDK's type of the same object. */
type CallerInfo = Pick<AuthInfo, 'token' | 'clientId'>;

/**
 * Returns the user's own token for another API: the token of the identity provider if this server issued the caller's token, or else
 * the one for which `upstreamToken.exchange` exchanges it. Tools get the AuthInfo from the MCP SDK, and the functions `env`, `headers` and
 * `requestMeta` of the backends get it as their first argument. No other user may get the token, nor may a log.
 *
 * @example
 * ```ts
 * import { getUpstreamToken } from 'express-mcp-auth';
 * import { McpServer } from '@modelcontextprotocol/server';
 *
 * const server = new McpServer({ name: 'repositories', version: '1.0.0' });
 * server.registerTool('list_repositories', { description: 'Lists your repositories' }, async ({ http }) => {
 *   const authorization = `Bearer ${await getUpstreamToken(http?.authInfo)}`;
 *   const response = await fetch('https://api.github.com/user/repos', { headers: { authorization } });
 *   return { content: [{ type: 'text', text: await response.text() }] };
 * });
 * ```
 *
 * @param caller The request, or its AuthInfo; `undefined` is an anonymous caller.
 * @throws {UpstreamTokenError} If there is none. It is never the caller's MCP token.
 * @throws {UpstreamError} If the authorization server cannot be asked at the moment, or does not accept the credentials of this server.
 */
export async function getUpstreamToken(caller: IncomingMessage | CallerInfo | undefined): Promise<string> {
  const auth = authOf(caller);
  // A tool may run for longer than its caller is accepted.
  if (withdrawalOf(auth) !== undefined) throw new UpstreamTokenError('caller_withdrawn');
  const exchange = tokenExchangeOf(auth);
  if (exchange !== undefined) return exchange();
  const upstream = upstreamTokenOf(auth);
  if (upstream === undefined) throw new UpstreamTokenError('no_upstream_token');
  const { token, expiresAt } = upstream;
  if (expiresAt !== undefined && Date.now() >= expiresAt * 1_000)
    throw new UpstreamTokenError('upstream_token_expired');
  return token;
}

function authOf(caller: unknown): AuthInfo {
  if (caller === undefined || caller === null) throw new UpstreamTokenError('anonymous_caller');
  if (isIssuedAuth(caller)) return caller;
  // A copy of an AuthInfo, or a request of the Fetch API, which the MCP SDK makes.
  if (!isRecord(caller) || !('rawHeaders' in caller)) throw new UpstreamTokenError('unknown_caller');
  const auth = authOfRequest(caller as unknown as IncomingMessage);
  if (auth === undefined) throw new UpstreamTokenError('anonymous_caller');
  return auth;
}

function authOfRequest(req: IncomingMessage): AuthInfo | undefined {
  try {
    return getAuth(req);
  } catch (cause) {
    // A copy or a Proxy of the request, or one that another version of this package verified: `cause` says which.
    throw new UpstreamTokenError('unknown_caller', {}, cause);
  }
}
