import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata, type Verifier } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const clientId = process.env.GITHUB_CLIENT_ID ?? 'Iv1.0123456789abcdef';
const clientSecret = process.env.GITHUB_CLIENT_SECRET ?? 'its secret';
const api = process.env.GITHUB_API ?? 'https://api.github.com';
const issuer = 'https://github.com/login/oauth';

interface Authorization {
  readonly app: { readonly client_id: string };
  readonly scopes: readonly string[] | null;
  readonly expires_at: string | null;
  readonly user: { readonly id: number; readonly login: string };
}

const accept = { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' };
const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

const github: Verifier = async (token) => {
  // GET /user says who the user is, but accepts the tokens of every other application too. This endpoint knows only ours.
  const response = await fetch(`${api}/applications/${clientId}/token`, {
    method: 'POST',
    headers: { ...accept, authorization: basic, 'content-type': 'application/json', 'user-agent': 'my-mcp-server' },
    body: JSON.stringify({ access_token: token }),
  });
  if (response.status === 404 || response.status === 422) return undefined; // unknown, revoked, or of another application
  if (!response.ok) throw new Error(`GitHub answered ${response.status}`);
  const { app, user, scopes, expires_at: expires } = (await response.json()) as Authorization;
  return {
    issuer,
    subject: String(user.id), // the login may change, and pass to another user
    clientId: app.client_id,
    scopes: scopes ?? [],
    expiresAt: expires === null ? undefined : Date.parse(expires) / 1_000,
    extra: { login: user.login },
  };
};

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, verifiers: [github], resourceMetadata, logger: console };
const app = express();
app.use('/mcp', mcpAuth(policy));
app.use(protectedResourceMetadata(policy));

app.all('/mcp', (req, res) => {
  res.json({ subject: getAuth(req)?.subject, login: getAuth(req)?.extra.login, scopes: getAuth(req)?.scopes });
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});
