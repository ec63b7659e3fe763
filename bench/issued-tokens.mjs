import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { AUDIENCE, GITHUB_CLIENT } from './auth-variants.mjs';

/** Makes tokens as the OAuth proxy does after a login at GitHub: the package has no function that makes one without a login. */
export async function createIssuer() {
  const input = fileURLToPath(new URL('../src/oauth/issued-token.ts', import.meta.url));
  const resolve = { extensionAlias: { '.js': ['.ts'] } };
  const build = await rolldown({ input, platform: 'node', resolve, logLevel: 'warn' });
  const { output } = await build.generate({ format: 'esm' });
  const { createIssuedTokens } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  const binding = { resource: AUDIENCE, issuer: 'https://github.com', clientId: GITHUB_CLIENT.clientId };
  const tokens = createIssuedTokens([GITHUB_CLIENT.secret], binding);
  return (login) => tokens.issue(contentsFor(login));
}

function contentsFor(login) {
  const issuedAt = Math.floor(Date.now() / 1000);
  return {
    subject: '583231',
    clientId: 'bench',
    scopes: ['read'],
    issuedAt,
    expiresAt: issuedAt + 7200,
    id: 'i'.repeat(12),
    login: 'l'.repeat(16),
    claims: { login, name: 'Alice Example', email: 'alice@example.com' },
    upstream: { token: `gho_${'u'.repeat(36)}`, expiresAt: undefined },
  };
}
