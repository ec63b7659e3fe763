import { describe, expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { startIntrospectionServer } from '../support/introspection-server.js';
import { startKeyServer } from '../support/key-server.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';
import { PROVIDER_BEHAVIOURS } from '../support/provider-behaviours.js';
import { startProviderServer } from '../support/provider-server.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { createSigner } from '../support/signer.js';

const resourceMetadata = { resource: 'http://localhost:3000/mcp' };
const policy = 'mcp.policies.mcpAuthentication';

async function faultsOf(mcp: object) {
  const { gateway, lines } = await serveFile({ mcp: { port: 0, targets: [scripted('only')], ...mcp } });
  return { faults: await gateway.findFaults(), lines };
}

const faultsOfLogin = (mcpAuthentication: object) =>
  faultsOf({ policies: { mcpAuthentication: { resourceMetadata, ...mcpAuthentication } } });

describe('key servers', () => {
  const { jwk } = createSigner();
  const withKeys = (url: string) => faultsOfLogin({ issuer: 'https://issuer.test', jwks: { url } });
  const fault = `${policy}: there are no keys for the tokens of https://issuer.test: the server of its keys cannot be reached, or publishes no key that this program can use`;

  test.each([
    ['a key that can be used', [jwk], []],
    ['no keys', [], [fault]],
    ['a key of another kind', [{ kty: 'oct', k: 'c2VjcmV0' }], [fault]],
  ])('one that publishes %s', async (_what, keys, expected) => {
    const server = await startKeyServer(keys);
    expect((await withKeys(server.url)).faults).toEqual(expected);
    expect(server.requests).toBe(1);
  });

  test('one that is unreachable, with the reason in the log', async () => {
    const url = await unreachableUrl();
    const { faults, lines } = await withKeys(url);
    expect(faults).toEqual([fault]);
    expect(lines).toContainEqual(expect.stringContaining(`error key set of https://issuer.test: GET ${url} failed`));
  });

  test('several routes with the same login, and keys in the file', async () => {
    const jwtAuth = { mode: 'strict', issuer: 'a', audiences: ['b'], jwks: JSON.stringify({ keys: [jwk] }) };
    expect((await faultsOf({ policies: { jwtAuth } })).faults).toEqual([]);
  });
});

describe('introspection servers', () => {
  const fault = `${policy}.introspection: the server of https://issuer.test cannot be asked about tokens`;
  const withServer = (introspection: object) => {
    const jwks = { keys: [createSigner().jwk] };
    return faultsOfLogin({ issuer: 'https://issuer.test', jwks, introspection });
  };

  test('one that answers', async () => {
    const server = await startIntrospectionServer();
    expect((await withServer(server.introspection)).faults).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  test('one that refuses the client secret', async () => {
    const { introspection } = await startIntrospectionServer();
    const { faults, lines } = await withServer({ ...introspection, clientSecret: 'wrong' });
    expect(faults).toEqual([fault]);
    expect(lines).toContainEqual(expect.stringContaining('check clientId and clientSecret'));
  });

  test('one that is unreachable', async () => {
    const server = await startIntrospectionServer();
    await server.goDown();
    expect((await withServer(server.introspection)).faults).toEqual([fault]);
  });
});

describe('the server behind the OAuth proxy', () => {
  const { kind } = PROVIDER_BEHAVIOURS.keycloak;

  test('one whose metadata can be read', async () => {
    const { issuer } = await startProviderServer(kind);
    expect((await faultsOfLogin({ issuer, provider: 'keycloak' })).faults).toEqual([]);
  });

  test('one that is unreachable has neither keys nor metadata', async () => {
    const issuer = `${await unreachableUrl()}realms/mcp`;
    expect((await faultsOfLogin({ issuer, provider: 'keycloak' })).faults).toEqual([
      expect.stringContaining(`there are no keys for the tokens of ${issuer}`),
      `${policy}: clients cannot log in: the metadata of ${issuer} cannot be read`,
    ]);
  });
});

describe('remote targets', () => {
  test('names the one that is unreachable, and the one that answers with an error', async () => {
    const good = await startRecordingTarget((_arrived, res) => res.writeHead(405).end());
    const url = await unreachableUrl();
    const failing = await serve((_req, res) => res.writeHead(503).end());
    const targets = [good.url, url, failing].map((host, i) => ({ name: `t${i}`, mcp: { host } }));
    const faultOf = (i: number, at: string, why: string) =>
      `mcp.targets[${i}].mcp.host: the MCP server at ${at} is unreachable, or answers with an error: ${why}`;
    expect((await faultsOf({ targets: [...targets, scripted('child')] })).faults).toEqual([
      faultOf(1, url, `connect ECONNREFUSED ${new URL(url).host}`),
      faultOf(2, `${failing}/`, 'it answered with status 503'),
    ]);
    expect(good.arrived.map(({ method }) => method)).toEqual(['OPTIONS']);
  });
});

test('a store that is unreachable', async () => {
  const redis = (await unreachableUrl()).replace('http', 'redis');
  const { gateway } = await serveFile({
    config: { store: { redis } },
    mcp: { port: 0, targets: [scripted('only')] },
  });
  expect(await gateway.findFaults()).toEqual([
    'config.store: the store cannot be used: no connection to Redis (ECONNREFUSED)',
  ]);
});
