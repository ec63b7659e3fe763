import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { blockToRun } from '../support/code-blocks.js';
import { postJson } from '../support/oauth-proxy-client.js';
import { type OAuthProxyFlow, SECRET, startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { ROOT } from '../support/program.js';
import { REAL_CLIENTS } from '../support/real-clients.js';

const { allowedRedirectUris } = parse(blockToRun('docs/providers.md', 'known')).oauthProxy as {
  allowedRedirectUris: string[];
};

const start = () => startOAuthProxyFlow('entra', 'entra', { oauthProxy: { secret: SECRET, allowedRedirectUris } });

const register = async ({ base }: OAuthProxyFlow, redirect_uris: readonly string[]) =>
  (await postJson(`${base}/client-registration`, { redirect_uris })).body.redirect_uris;

test('the list of docs/providers.md has every redirect URI of the table above it, except those with a name of the user', () => {
  const page = readFileSync(`${ROOT}docs/providers.md`, 'utf8');
  const table = /## Redirect URIs of known clients\n.*?\n\n(\| client.*?)\n\n/s.exec(page)?.[1] ?? '';
  const uris = [...table.matchAll(/`([a-z]+:\/\/[^`]+)`/g)].map(([, uri]) => uri ?? '');
  const named = uris.filter((uri) => !uri.includes('{'));
  expect(new Set(allowedRedirectUris)).toEqual(new Set(named.filter((uri) => uri !== CHATGPT)));
});

/** The list has its whole host. */
const CHATGPT = 'https://chatgpt.com/connector_platform_oauth_redirect';

test.each(Object.entries(REAL_CLIENTS))('the list lets %s register', async (_name, { redirectUri }) => {
  expect(await register(await start(), [redirectUri])).toEqual([redirectUri]);
});

test.each([
  ['VS Code', ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/']],
  ['ChatGPT', [CHATGPT, 'https://chatgpt.com/connector/oauth/abc_12-3']],
])('and %s', async (_name, uris) => {
  expect(await register(await start(), uris)).toEqual(uris);
});

test.each([
  'https://evil.example/callback',
  'https://claude.ai/other',
  'https://www.cursor.com/other',
  'cursor://other/oauth/callback',
])('and not %s', async (uri) => {
  expect(await register(await start(), [uri])).toBeUndefined();
});
