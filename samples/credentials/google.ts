import express from 'express';
import { getAuth, type McpAuthOptions, mcpAuth, protectedResourceMetadata, type Verifier } from 'express-mcp-auth';

const port = Number(process.env.PORT ?? 3000);
const clientId = process.env.GOOGLE_CLIENT_ID ?? 'my-client.apps.googleusercontent.com';
const tokeninfo = process.env.GOOGLE_TOKENINFO ?? 'https://oauth2.googleapis.com/tokeninfo';
const issuer = 'https://accounts.google.com';

interface TokenInfo {
  readonly aud: string;
  readonly sub?: string;
  readonly scope: string;
  readonly exp: string;
  readonly email?: string;
}

const google: Verifier = async (token) => {
  // In a header and not in the address, which may be logged.
  const response = await fetch(tokeninfo, { method: 'POST', headers: { authorization: `Bearer ${token}` } });
  if (response.status === 400) return undefined; // unknown, expired or revoked
  if (!response.ok) throw new Error(`tokeninfo answered ${response.status}`);
  const { aud, sub, scope, exp, email } = (await response.json()) as TokenInfo;
  if (aud !== clientId) return undefined; // issued to another application
  return { issuer, subject: sub, clientId: aud, scopes: scope.split(' '), expiresAt: Number(exp), extra: { email } };
};

const resourceMetadata = { resource: `http://localhost:${port}/mcp` };
const policy: McpAuthOptions = { issuer, verifiers: [google], resourceMetadata, logger: console };
const app = express();
app.use('/mcp', mcpAuth(policy));
app.use(protectedResourceMetadata(policy));

app.all('/mcp', (req, res) => {
  res.json({ subject: getAuth(req)?.subject, email: getAuth(req)?.extra.email, scopes: getAuth(req)?.scopes });
});

app.listen(port, (error) => {
  if (error) throw error;
  console.log(`Listening on http://localhost:${port}/mcp`);
});
