import { createHash } from 'node:crypto';
import { pathToFileURL } from 'node:url';
import { mcpAuth } from '../dist/index.js';

/** The key server's address, the issuer, and the audience are the same for all. */
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://mcp.example/mcp';

/** The credentials that the server of the variant {@link EVERY_CREDENTIAL} knows. */
export const API_KEY = `emak_${'k'.repeat(43)}`;
export const OPAQUE_TOKEN = 'o'.repeat(43);
export const EVERY_CREDENTIAL = 'express-mcp-auth, every credential';

/** The client at GitHub of the server that issues tokens, and the secret that it issues them with. */
export const GITHUB_CLIENT = {
  clientId: 'Iv1.bench',
  clientSecret: 'the secret at GitHub',
  secret: 'a secret of more than thirty-two characters',
};

/** A server with the login at GitHub. */
const issuing = (options) => {
  const { clientId, clientSecret, secret } = GITHUB_CLIENT;
  return mcpAuth({
    provider: { github: { allow: () => true } },
    clientId,
    clientSecret,
    oauthProxy: { secret },
    resourceMetadata: { resource: AUDIENCE, scopesSupported: ['read'] },
    ...options,
  });
};

/** Only in the series of known credentials, and of unknown ones. */
export const ISSUING = 'express-mcp-auth, issued tokens';
export const ISSUING_UNKNOWN = 'express-mcp-auth, issued tokens, nothing remembered';
export const JWT_UNKNOWN = 'express-mcp-auth, nothing remembered';

/** The build of an earlier revision, to compare with: the path of its `dist`. */
const { BEFORE } = process.env;
export const EARLIER = 'express-mcp-auth of BEFORE';
/** The variant of {@link EARLIER}, if there is one. */
export const EARLIER_VARIANTS = BEFORE === undefined ? [] : [EARLIER];

/** One Express middleware for each way of protecting the same route; each as its own documentation shows. */
export const VARIANTS = {
  'no auth': async () => (_req, _res, next) => next(),

  // The cost of setting `req.auth` behind Express, without any check.
  'req.auth = x and no more': async () => {
    const auth = Object.freeze({ token: '', clientId: '', scopes: [] });
    return (req, _res, next) => {
      req.auth = auth;
      next();
    };
  },

  'express-mcp-auth': async (jwksUrl) =>
    mcpAuth({ issuer: ISSUER, jwks: { url: jwksUrl }, resourceMetadata: { resource: AUDIENCE } }),

  [EARLIER]: async (jwksUrl) => {
    const before = await import(pathToFileURL(`${BEFORE}/index.js`).href);
    return before.mcpAuth({ issuer: ISSUER, jwks: { url: jwksUrl }, resourceMetadata: { resource: AUDIENCE } });
  },

  // Only in the series of forged tokens that all differ.
  'express-mcp-auth, 500 failures a second': async (jwksUrl) =>
    mcpAuth({
      issuer: ISSUER,
      jwks: { url: jwksUrl },
      resourceMetadata: { resource: AUDIENCE },
      maxFailedVerificationsPerSecond: 500,
    }),

  [ISSUING]: async () => issuing({}),
  [ISSUING_UNKNOWN]: async () => issuing({ tokenCache: false }),
  [JWT_UNKNOWN]: async (jwksUrl) =>
    mcpAuth({
      issuer: ISSUER,
      jwks: { url: jwksUrl },
      resourceMetadata: { resource: AUDIENCE },
      tokenCache: false,
    }),

  // Only in the series of known credentials.
  [EVERY_CREDENTIAL]: async (jwksUrl) =>
    mcpAuth({
      issuer: ISSUER,
      jwks: { url: jwksUrl },
      resourceMetadata: { resource: AUDIENCE },
      apiKeys: [{ sha256: createHash('sha256').update(API_KEY).digest('hex'), subject: 'ci', scopes: ['read'] }],
      introspection: {
        endpoint: new URL('/introspect', jwksUrl).href,
        clientId: 'bench',
        clientSecret: 'the secret of the bench',
      },
    }),

  'SDK v1 requireBearerAuth, jose': async (jwksUrl) => {
    const { requireBearerAuth } = await import('@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js');
    const { InvalidTokenError } = await import('@modelcontextprotocol/sdk/server/auth/errors.js');
    const { createRemoteJWKSet, jwtVerify } = await import('jose');
    const keys = createRemoteJWKSet(new URL(jwksUrl));
    const verifyAccessToken = async (token) => {
      try {
        const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: AUDIENCE });
        return { token, clientId: payload.sub, scopes: [], expiresAt: payload.exp };
      } catch (error) {
        throw new InvalidTokenError(error.message);
      }
    };
    return requireBearerAuth({ verifier: { verifyAccessToken }, resourceMetadataUrl: `${AUDIENCE}/metadata` });
  },

  'express-oauth2-jwt-bearer': async (jwksUrl) => {
    const { auth } = await import('express-oauth2-jwt-bearer');
    return auth({ issuer: ISSUER, audience: AUDIENCE, jwksUri: jwksUrl, tokenSigningAlg: 'ES256' });
  },

  'mcp-auth': async (jwksUrl) => {
    const { MCPAuth } = await import('mcp-auth');
    const metadata = {
      issuer: ISSUER,
      authorizationEndpoint: `${ISSUER}/authorize`,
      tokenEndpoint: `${ISSUER}/token`,
      jwksUri: jwksUrl,
      responseTypesSupported: ['code'],
      grantTypesSupported: ['authorization_code'],
      codeChallengeMethodsSupported: ['S256'],
      registrationEndpoint: `${ISSUER}/register`,
    };
    const authorizationServers = [{ type: 'oauth', metadata }];
    const auth = new MCPAuth({ protectedResources: [{ metadata: { resource: AUDIENCE, authorizationServers } }] });
    return auth.bearerAuth('jwt', { resource: AUDIENCE, audience: AUDIENCE });
  },

  'jwks-rsa, express-jwt': async (jwksUrl) => {
    const { default: jwksRsa } = await import('jwks-rsa');
    const { expressjwt } = await import('express-jwt');
    const secret = jwksRsa.expressJwtSecret({ jwksUri: jwksUrl, cache: true, rateLimit: true });
    return expressjwt({ secret, issuer: ISSUER, audience: AUDIENCE, algorithms: ['ES256'] });
  },
};
