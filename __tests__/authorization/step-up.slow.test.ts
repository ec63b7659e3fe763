import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import express, { type Express } from 'express';
import Provider from 'oidc-provider';
import { expect, onTestFinished, test } from 'vitest';
import { type McpAuthOptions, mcpAuth, mcpScopes, protectedResourceMetadata } from '../../src/index.js';
import { listen, originOf, serve, stop } from '../support/loopback-server.js';
import { type CreateServer, REAL_SERVERS } from '../support/sdk-servers.js';

const AGENT = { clientId: 'agent', clientSecret: 'the-secret-of-the-agent' };
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Starts oidc-provider with one client, which uses client credentials, and one resource. */
async function startAuthorizationServer(resource: () => string) {
  const server = createServer();
  await listen(server);
  onTestFinished(() => stop(server));
  const asked: (string | undefined)[] = [];
  const provider = new Provider(originOf(server), {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'a', use: 'sig', alg: 'RS256' }] },
    clients: [
      {
        client_id: AGENT.clientId,
        client_secret: AGENT.clientSecret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        scope: 'mcp:call files:read files:write',
      },
    ],
    scopes: ['mcp:call', 'files:read', 'files:write'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource()) throw new Error(`unknown resource ${indicator}`);
          return { scope: 'mcp:call files:read files:write', audience: indicator, accessTokenFormat: 'jwt' };
        },
      },
    },
  });
  provider.on('grant.success', ({ oidc }) => asked.push(oidc.params?.scope as string | undefined));
  server.on('request', provider.callback());
  return { issuer: originOf(server), asked };
}

/** Starts an MCP server behind mcpAuth() and mcpScopes(), and records its answers. */
async function startServer() {
  let app: Express | undefined;
  const origin = await serve((req, res) => app?.(req, res));
  const resource = `${origin}/mcp`;
  const { issuer, asked } = await startAuthorizationServer(() => resource);
  const policy: McpAuthOptions = {
    issuer,
    jwks: { url: `${issuer}/jwks` },
    resourceMetadata: { resource },
    requiredScopes: ['mcp:call'],
  };
  const answers: string[] = [];
  app = express();
  app.use('/mcp', (req, res, next) => {
    res.on('finish', () => answers.push(`${req.method} ${res.statusCode}`));
    next();
  });
  app.use(mcpAuth(policy), protectedResourceMetadata(policy));
  app.use('/mcp', mcpScopes({ 'tools/call': { delete_file: ['files:read', 'files:write'] } }));
  app.use('/mcp', createServerOf('SDK v1, reading the request itself'));
  return { resource, issuer, asked, answers };
}

function createServerOf(kind: string) {
  const [, create] = REAL_SERVERS.find(([name]) => name === kind) ?? [];
  return (create as CreateServer)();
}

test('a client of SDK v2 steps up by itself: 401, a token, 403, a token with more scopes, 200', async () => {
  const { resource, issuer, asked, answers } = await startServer();
  const authProvider = new ClientCredentialsProvider({ ...AGENT, expectedIssuer: issuer });
  const client = new Client({ name: 'agent', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(resource), { authProvider }));
  onTestFinished(() => client.close());
  expect(asked).toEqual(['mcp:call']);
  expect(answers.slice(0, 2)).toEqual(['POST 401', 'POST 200']);

  expect((await client.callTool({ name: 'echo' })).content).toMatchObject([{ text: 'echo for agent' }]);
  expect(asked, 'what its token allows needs no other').toEqual(['mcp:call']);

  const before = answers.length;
  expect((await client.callTool({ name: 'delete_file' })).content).toMatchObject([{ text: 'delete_file for agent' }]);
  expect(answers.slice(before).filter((answer) => answer.startsWith('POST'))).toEqual(['POST 403', 'POST 200']);
  expect(asked).toEqual(['mcp:call', 'mcp:call files:read files:write']);
});
