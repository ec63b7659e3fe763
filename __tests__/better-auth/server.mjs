import { startBetterAuth } from './better-auth.mjs';

// Starts Better Auth, logs a user in, and prints its issuer, a client for introspection and the user's access tokens as JSON.
// Arguments: `jwt` or `opaque`, and the resource of the tokens.
const [kind, resource] = process.argv.slice(2);
const redirectUri = 'https://client.example/callback';
const { auth, origin, headers } = await startBetterAuth(kind, resource);
const cookie = headers
  .getSetCookie()
  .map((each) => each.split(';')[0])
  .join('; ');

const createClient = (body) =>
  auth.api.adminCreateOAuthClient({ headers: { cookie }, body: { redirect_uris: [redirectUri], ...body } });

const client = await createClient({ skip_consent: true, scope: 'openid mcp:read offline_access' });

async function post(path, form) {
  const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64');
  const response = await fetch(`${origin}/api/auth${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** Logs in with the code flow and PKCE. */
async function logIn(parameters) {
  const verifier = 'v'.repeat(64);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: client.client_id,
    redirect_uri: redirectUri,
    scope: 'openid mcp:read offline_access',
    state: 'state',
    code_challenge: Buffer.from(digest).toString('base64url'),
    code_challenge_method: 'S256',
    ...parameters,
  });
  const response = await fetch(`${origin}/api/auth/oauth2/authorize?${query}`, {
    headers: { cookie },
    redirect: 'manual',
  });
  const target = response.headers.get('location') ?? (await response.json()).url;
  const code = new URL(target).searchParams.get('code');
  if (code === null) throw new Error(`no code: ${target}`);
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
  return post('/oauth2/token', { ...form, ...parameters });
}

const good = await logIn({ resource });
const { access_token: withoutResource } = await logIn({});
const revoked = await logIn({ resource });
if (kind === 'opaque') await post('/oauth2/revoke', { token: revoked.access_token, token_type_hint: 'access_token' });

console.log(
  JSON.stringify({
    issuer: `${origin}/api/auth`,
    clientId: client.client_id,
    clientSecret: client.client_secret,
    token: good.access_token,
    refreshToken: good.refresh_token,
    revoked: revoked.access_token,
    withoutResource,
  }),
);
