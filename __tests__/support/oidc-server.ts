import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider, { type Configuration } from 'oidc-provider';
import { onTestFinished } from 'vitest';
import { listen, originOf, stop } from './loopback-server.js';
import type { FillIn } from './user-agent.js';

/**
 * Starts oidc-provider, a certified server, almost unconfigured: RFC 8414, RFC 7591, RFC 8707, RFC 9207, PKCE, and its own login
 * pages.
 *
 * @param resource The only resource for which it issues tokens.
 * @param accessTokenFormat Opaque tokens can be introspected by {@link INTROSPECTION_CLIENT}.
 * @param scopes Those that clients may register for. The resource has `mcp.read` in any case.
 */
export async function startOidcServer(
  resource: () => string,
  accessTokenFormat: 'jwt' | 'opaque' = 'jwt',
  scopes: readonly string[] = ['openid', 'offline_access', 'mcp.read'],
): Promise<string> {
  const server = createServer();
  await listen(server);
  onTestFinished(() => stop(server));
  const issuer = originOf(server);
  server.on('request', new Provider(issuer, configurationFor(resource, accessTokenFormat, scopes)).callback());
  return issuer;
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** A client that only asks about tokens. */
export const INTROSPECTION_CLIENT = { clientId: 'mcp-server', clientSecret: 'the secret of the MCP server' };

function configurationFor(
  resource: () => string,
  accessTokenFormat: 'jwt' | 'opaque',
  scopes: readonly string[],
): Configuration {
  const { clientId: client_id, clientSecret: client_secret } = INTROSPECTION_CLIENT;
  return {
    clients: [{ client_id, client_secret, redirect_uris: [], response_types: [], grant_types: [] }],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'a', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['a cookie key for tests'] },
    scopes: [...scopes],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    // SDK v1 asks only for the scopes of the challenge, which do not include offline_access.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    features: {
      registration: { enabled: true },
      revocation: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo(_ctx, indicator) {
          if (indicator !== resource()) throw new Error(`unknown resource ${indicator}`);
          return { scope: 'mcp.read', audience: indicator, accessTokenTTL: 300, accessTokenFormat };
        },
      },
    },
  };
}

/** Fills in its pages as a user would: logs in with any name, and consents. */
export const atOidcServer: FillIn = (fields) => ('prompt' in fields ? { login: 'alice', password: 'any' } : undefined);
