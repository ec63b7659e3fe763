import { randomUUID } from 'node:crypto';
import type { JWK } from 'jose';
import { createLazyImport } from '../../core/lazy-import.js';
import { type DevResource, scopesFor } from './dev-resource.js';
import { USER } from './one-click-login.js';

/** Long enough for the calls of a page. */
const TOKEN_SECONDS = 300;
/** The client in the tokens of the admin page. */
const CLIENT = 'admin-page';

const loadJose = createLazyImport('jose', () => import('jose'));

interface TokenParts {
  readonly issuer: string;
  readonly key: JWK;
  readonly resources: readonly DevResource[];
  /** The one that the token is for. */
  readonly resource: string;
}

/** Signs an access token as oidc-provider makes them (RFC 9068), without a login. */
export async function signToken({ issuer, key, resources, resource }: TokenParts): Promise<string> {
  const scopes = scopesFor(resources, resource);
  if (scopes === undefined) throw new Error(`the development issuer issues no tokens for ${resource}`);
  const { SignJWT, importJWK } = await loadJose();
  const now = Math.floor(Date.now() / 1_000);
  const times = { iat: now, exp: now + TOKEN_SECONDS };
  const claims = { client_id: CLIENT, scope: scopes.join(' '), jti: randomUUID(), ...times };
  return new SignJWT({ iss: issuer, sub: USER, aud: resource, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', ...(key.kid !== undefined && { kid: key.kid }) })
    .sign(await importJWK(key, 'ES256'));
}
