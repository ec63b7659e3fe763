import { BodyError } from '../http/body.js';
import type { ResolvedOAuthProxy } from '../policy/resolve-oauth-proxy.js';
import { OAuthError, type OAuthErrorName } from './oauth-error.js';
import type { UpstreamRefusal } from './upstream-answer.js';

/** The kind of request that was refused. */
export type Act = 'registration' | 'login' | 'code' | 'refresh' | 'revocation' | 'request';

export type Refused = OAuthError | BodyError | UpstreamRefusal;

const ADVICE_OURS: Readonly<Partial<Record<OAuthErrorName, string>>> = {
  invalid_client:
    'the client must register again; if this happens after every restart, set oauthProxy.secret; an id that a user typed in must be in oauthProxy.clients',
  invalid_grant: 'the user must log in again; if this happens after every restart, set oauthProxy.secret',
  invalid_redirect_uri:
    'to let this client log in, add its redirect URI to oauthProxy.allowedRedirectUris, or correct it in the client',
  invalid_target: 'set resourceMetadata.resource to the address that clients use',
  invalid_scope: 'correct the scopes in the configuration of the client',
  access_denied: 'nothing to do if the user denied it; otherwise set "clientId"',
};

const ADVICE_UPSTREAM: Readonly<Record<string, string>> = {
  invalid_scope: 'list only scopes that it grants to this client in scopesSupported and requiredScopes',
  invalid_target: 'register resourceMetadata.resource there, as a resource or an API',
  invalid_grant: 'the user must log in again',
  invalid_client: 'the client must register again',
  access_denied:
    'nothing to do if the user denied it; otherwise see the log of the authorization server, and set requiredScopes if it denies logins that ask for no scope',
};

const CORRECT_CLIENT = 'correct the client';

/** Returns the advice for the operator, or for the user of the client. */
export function remedyFor(error: Refused, act: Act, { registration }: ResolvedOAuthProxy['provider']): string {
  if (error instanceof OAuthError) return error.note.advice ?? ADVICE_OURS[error.error] ?? CORRECT_CLIENT;
  if (error instanceof BodyError) return CORRECT_CLIENT;
  if (act === 'registration') return registration?.hint ?? 'let clients register there, or set "clientId"';
  return ADVICE_UPSTREAM[error.body.error ?? ''] ?? 'see the log of the authorization server';
}
