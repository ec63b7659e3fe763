import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { allowing, serveClientDocument, trustingDocuments } from '../support/client-documents.js';
import { freePort } from '../support/loopback-server.js';
import { PROXY_LINES, startNginx } from '../support/nginx.js';
import { postJson, REDIRECT_URI, rawClient } from '../support/oauth-proxy-client.js';
import { atOidcServer, startOidcServer } from '../support/oidc-server.js';
import { CLI, endPrograms, type Program, startNode } from '../support/program.js';
import { until } from '../support/until.js';
import { UserAgent } from '../support/user-agent.js';

afterAll(endPrograms);

const REGISTRATION = { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' };
const SECRET = 'the secret of a client that an operator has written down';

/** Two commands with one file behind nginx, which sends them requests in turn, and an authorization server. */
async function startReplicas(oauthProxy: object, isShared: boolean) {
  const folder = mkdtempSync(join(tmpdir(), 'logins-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ports = [await freePort(), await freePort()];
  const servers = ports.map((port) => `server 127.0.0.1:${port};`).join(' ');
  const outside = `upstream mcp { ${servers} } log_format steps '$upstream_addr $request_method $uri';`;
  const lines = `${PROXY_LINES} access_log ${folder}/steps.log steps;`;
  const origin = await startNginx('http://mcp', lines, outside);
  const resource = `${origin}/mcp`;
  const base = `${origin}/.well-known/oauth-authorization-server/mcp`;
  const issuer = await startOidcServer(() => resource);
  const mcpAuthentication = {
    issuer,
    provider: 'standard',
    ...(isShared && { clientId: await registerAt(issuer, `${base}/callback`) }),
    oauthProxy: { secret: 'a secret of thirty-two characters', ...oauthProxy },
    resourceMetadata: { resource, scopesSupported: ['mcp.read'] },
  };
  const policies = { mcpAuthentication, directResponse: { status: 200, body: 'served' } };
  const routes = [{ matches: [{ path: { exact: '/mcp' } }], policies }];
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ gateways: { default: { port: '$PORT' } }, routes }));
  const env = trustingDocuments();
  const start = async (port: number): Promise<Program> => {
    const args = [CLI, '-f', `${folder}/config.yaml`, '--host', '127.0.0.1'];
    const program = startNode(args, { env: { ...env, PORT: `${port}` } });
    await program.says(/Listening on/);
    return program;
  };
  const replicas = await Promise.all(ports.map(start));
  return {
    base,
    resource,
    issuer,
    /** The last name of each path that nginx passed on, and the replica that got it. */
    steps: () => stepsOf(readFileSync(`${folder}/steps.log`, 'utf8'), ports),
    async restart() {
      for (const [index, port] of ports.entries()) {
        await replicas[index]?.stop();
        replicas[index] = await start(port);
      }
    },
  };
}

async function registerAt(issuer: string, callback: string): Promise<unknown> {
  const grant_types = ['authorization_code', 'refresh_token'];
  const metadata = { ...REGISTRATION, redirect_uris: [callback], grant_types, application_type: 'native' };
  return (await postJson(`${issuer}/reg`, metadata)).body.client_id;
}

function stepsOf(log: string, ports: readonly number[]): [name: string, replica: number][] {
  return log
    .trim()
    .split('\n')
    .map((line) => [line.split('/').at(-1) ?? '', ports.findIndex((port) => line.startsWith(`127.0.0.1:${port} `))]);
}

type Replicas = Awaited<ReturnType<typeof startReplicas>>;

interface Kind {
  readonly oauthProxy?: object;
  /** Returns the id of the client, and its secret, if it has one. */
  identify(replicas: Replicas): Promise<{ id: string; secret?: string }>;
}

const KINDS: Readonly<Record<string, Kind>> = {
  'that has registered': {
    async identify({ base }) {
      const { body } = await postJson(`${base}/client-registration`, REGISTRATION);
      return { id: body.client_id as string };
    },
  },
  'with a metadata document': {
    identify: async () => ({ id: (await serveClientDocument()).url }),
  },
  'of oauthProxy.clients': {
    oauthProxy: { clients: { 'my-client': { redirectUris: [REDIRECT_URI], secret: SECRET } } },
    identify: async () => ({ id: 'my-client', secret: SECRET }),
  },
};

describe.each([
  ['a client there of its own', false],
  ['one client for all there', true],
])('two replicas with one secret, with %s', (_clients, isShared) => {
  test.each(Object.entries(KINDS))(
    'each step of the login of a client %s is on another one; both restart in the middle',
    async (kind, { oauthProxy = {}, identify }) => {
      const replicas = await startReplicas(oauthProxy, isShared);
      const { id, secret } = await identify(replicas);
      const client = rawClient(replicas.base, id);
      const agent = new UserAgent();
      const { fillIn } = allowing(atOidcServer);
      const begin = client.authorizationUrl({ scope: 'mcp.read offline_access', prompt: 'consent' });
      const atIssuer = (await agent.visit(begin, fillIn, ({ origin }) => origin === replicas.issuer)) as URL;
      await replicas.restart();
      const callback = (await agent.visit(atIssuer, fillIn, ({ href }) => href.startsWith(REDIRECT_URI))) as URL;
      const answer = await client.token({ code: callback.searchParams.get('code') ?? '', client_secret: secret });
      expect(answer).toMatchObject({ status: 200 });
      const refreshed = await client.token({
        grant_type: 'refresh_token',
        refresh_token: answer.body.refresh_token as string,
        client_secret: secret,
      });
      expect(refreshed).toMatchObject({ status: 200 });
      const headers = { authorization: `Bearer ${refreshed.body.access_token}` };
      expect(await (await fetch(replicas.resource, { headers })).text()).toBe('served');
      // nginx writes the line of a request after its answer.
      await until(() => replicas.steps().at(-1)?.[0] === 'mcp');
      const steps = replicas.steps();
      const isRegistered = kind === 'that has registered';
      const names = [
        'authorize',
        ...(isRegistered && !isShared ? [] : ['consent']),
        'callback',
        'token',
        'token',
        'mcp',
      ];
      expect(steps.map(([name]) => name)).toEqual(isRegistered ? ['client-registration', ...names] : names);
      expect(steps.map(([, replica]) => replica)).toEqual(steps.map((_step, index) => index % 2));
    },
    60_000,
  );
});
