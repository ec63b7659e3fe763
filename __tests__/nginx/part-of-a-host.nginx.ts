import express, { type Express } from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, protectedResourceMetadata } from '../../src/index.js';
import { answerMcp } from '../support/guarded-server.js';
import { serve } from '../support/loopback-server.js';
import { logIn, SDKS } from '../support/mcp-login.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';

/** nginx has the root of the host, and passes on only what is below a path. */
const only = (path: string, elsewhere: string) => `${PROXY_LINES} if ($uri !~ ^${path}(/|$)) { ${elsewhere} }`;
const removing = (path: string) => `${only(path, 'return 404;')} rewrite ^${path}(/.*)$ $1 break;`;

const NOT_FOUND = 'return 404;';
const IN_FRONT = '/.well-known/oauth-protected-resource';

/** The way in which nginx passes requests on, the path of the resource, that of its metadata, and where Express has the middleware. */
const HOSTS = [
  ['passes on /mcp', '/mcp', `/mcp${IN_FRONT}`, only('/mcp', NOT_FOUND), '/mcp'],
  ['passes on /mcp, and answers 403 elsewhere', '/mcp', `/mcp${IN_FRONT}`, only('/mcp', 'return 403;'), '/mcp'],
  ['passes on /tools/mcp', '/tools/mcp', `/tools/mcp${IN_FRONT}`, only('/tools/mcp', NOT_FOUND), '/tools/mcp'],
  ['passes on /tools without the prefix', '/tools/mcp', `/tools${IN_FRONT}/mcp`, removing('/tools'), '/'],
  ['passes on /mcp without the prefix', '/mcp/', `/mcp${IN_FRONT}`, removing('/mcp'), '/'],
] as const;

describe.each(HOSTS)('another server has the root of the host; nginx %s', (_host, path, metadata, lines, mount) => {
  test.each(SDKS)('SDK %s registers, logs in and refreshes at the OAuth proxy', async (sdk) => {
    let app: Express | undefined;
    const origin = await startNginx(await serve((req, res) => app?.(req, res)), lines);
    const resource = `${origin}${path}`;
    const policy: McpAuthOptions = {
      issuer: await startOidcServer(() => resource),
      provider: 'standard',
      oauthProxy: { secret: 'a secret of thirty-two characters' },
      resourceMetadata: { resource, url: origin + metadata, scopesSupported: ['mcp.read'] },
      requiredScopes: ['mcp.read'],
    };
    const auth = mcpAuth(policy);
    app = express().use(mount, auth, protectedResourceMetadata(auth));
    app.use((req, res, next) => (req.auth === undefined ? next() : void answerMcp(req, res)));
    expect((await fetch(`${origin}/.well-known/oauth-authorization-server${path}`)).ok).toBe(false);
    const client = await logIn(sdk, resource, atOidcServer);
    onTestFinished(() => client.close());
    const base = `${resource.replace(/\/$/, '')}/.well-known/oauth-authorization-server`;
    expect(client.memory.authorizationUrl?.href).toMatch(`${base}/authorize?`);
    expect(client.callback.searchParams.get('iss')).toBe(resource);
    const whoami = { content: [{ text: '{"scopes":["mcp.read"]}' }] };
    expect(await client.callTool('whoami')).toMatchObject(whoami);
    const { access_token: before } = client.memory.savedTokens ?? {};
    auth.revoke(before ?? '');
    expect(await client.callTool('whoami')).toMatchObject(whoami);
    expect(client.memory.savedTokens?.access_token).not.toBe(before);
  });
});
