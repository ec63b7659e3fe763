import { beforeAll, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { EXCHANGE_CLIENT } from '../support/exchange-endpoints.js';
import { startExchangeServer } from '../support/exchange-server.js';
import { serveFile } from '../support/file-gateway.js';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { initialize, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
  await folder.write('exchange-secret', `${EXCHANGE_CLIENT.clientSecret}\n`);
  return () => folder.remove();
});

const fileOf = (url: string, upstreamToken: object, mcpAuthentication: object) => ({
  mcp: {
    port: 0,
    targets: [{ name: 'notes', mcp: { host: url }, policies: { backendAuth: { upstreamToken } } }],
    policies: { mcpAuthentication },
  },
});

test.each([
  ['in Authorization', {}, 'authorization', 'Bearer '],
  ['in another header', { location: { header: { name: 'X-User-Token' } } }, 'x-user-token', ''],
])('a remote target gets the own token of each user, %s', async (_where, upstreamToken, header, prefix) => {
  const server = await startExchangeServer('RFC 8693');
  const target = await startRecordingTarget();
  const login = server.policy({ clientSecret: { file: 'exchange-secret' } });
  const { origin, lines } = await serveFile(fileOf(target.url, upstreamToken, login), { folder: folder.path });
  const tokens = { ada: server.issue('ada'), bob: server.issue('bob') };
  for (const token of Object.values(tokens)) {
    const response = await post(`${origin}/mcp`, initialize(), { authorization: `Bearer ${token}` });
    expect(response.status).toBe(200);
  }
  const sent = target.arrived.map(({ headers }) => String(headers[header]).slice(prefix.length));
  expect(sent).toEqual(server.exchanged);
  const users = await Promise.all(
    sent.map(async (token) => (await fetch(server.api, { headers: { authorization: `Bearer ${token}` } })).json()),
  );
  expect(users).toEqual([[{ full_name: 'ada/notes' }], [{ full_name: 'bob/notes' }]]);
  for (const token of [...Object.values(tokens), ...sent]) expect(lines.join('\n')).not.toContain(token);
  for (const token of Object.values(tokens)) expect(target.bytes()).not.toContain(token);
});

test('a user whose token is not exchanged: 502, and nothing is sent to the target', async () => {
  const server = await startExchangeServer('RFC 8693');
  const target = await startRecordingTarget();
  const login = server.policy({ audience: 'unknown' });
  const { origin, lines } = await serveFile(fileOf(target.url, {}, login), { folder: folder.path });
  const response = await post(`${origin}/mcp`, initialize(), { authorization: `Bearer ${server.issue('ada')}` });
  expect([
    response.status,
    ((await response.json()) as { error: { data: { reason: string } } }).error.data.reason,
  ]).toEqual([502, 'caller_headers_failed']);
  expect(target.arrived).toEqual([]);
  expect(lines.join('\n')).toContain('refused to exchange the token (400, invalid_target)');
});

const AT = 'mcp.targets[0].policies.backendAuth';
const LOGIN = { issuer: 'https://auth.example.com', resourceMetadata: { resource: 'https://mcp.example.com/mcp' } };

test.each<[string, object, object, string]>([
  [
    'without callers who have a token',
    {},
    LOGIN,
    `${AT}.upstreamToken needs callers with a token of their own: write upstreamToken.exchange or a provider where users log in, such as github, in mcpAuthentication`,
  ],
  [
    'with an unknown member',
    { audience: 'x' },
    LOGIN,
    `${AT}.upstreamToken.audience is not supported. Supported here: location`,
  ],
])('backendAuth.upstreamToken is refused %s', (_case, upstreamToken, login, message) => {
  const text = JSON.stringify(fileOf('https://notes.example.com/mcp', upstreamToken, login));
  const { logger } = createRecordingLogger();
  expect(() => createGateway(parseConfigFile(text, folder.path), logger)).toThrow(message);
});
