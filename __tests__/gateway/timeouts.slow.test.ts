import { describe, expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { initialize, listen, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

const file = (policies: object) => ({ mcp: { port: 0, targets: [scripted('only')], policies } });

describe('timeout', () => {
  const call = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'hang', arguments: {} } };

  test('requestTimeout answers 504, and cuts a stream off', async () => {
    const { origin } = await serveFile(file({ timeout: { requestTimeout: '6s' } }));
    const session = await open(`${origin}/mcp`);
    expect((await post(`${origin}/mcp`, call, session)).status).toBe(504);
    const stream = await fetch(`${origin}/mcp`, { headers: { ...session, accept: 'text/event-stream' } });
    expect(stream.status).toBe(200);
    await expect(stream.text()).rejects.toThrow();
  });

  test('backendRequestTimeout answers a call that takes too long', async () => {
    const { origin } = await serveFile(file({ timeout: { backendRequestTimeout: '5s' } }));
    const session = await open(`${origin}/mcp`);
    const answer = await post(`${origin}/mcp`, call, session);
    expect(await answer.json()).toMatchObject({
      id: 7,
      error: { message: expect.stringMatching(/5 seconds|timed? ?out/i) },
    });
  });

  test.each<[string, string]>([
    [
      'programs',
      'warn mcpStdioBackend(): answered 504 (request_timed_out): The MCP server did not answer in time (timeout.backendRequestTimeout): ' +
        'look at the log of the MCP server, or raise timeout.backendRequestTimeout if it needs longer',
    ],
    [
      'one remote target',
      'error mcpHttpBackend(): URL: The MCP server did not answer in time (timeout.backendRequestTimeout) (target_timed_out): ' +
        'it did not begin to answer in time',
    ],
    [
      'several targets',
      'warn mcpBackend(): answered 504 (request_timed_out): The MCP server did not answer in time (timeout.backendRequestTimeout): ' +
        'look at the log of the MCP server, or raise timeout.backendRequestTimeout if it needs longer',
    ],
  ])('backendRequestTimeout is named in the log of %s', async (kind, line) => {
    const silent = await startRecordingTarget(() => undefined);
    const remote = { name: 'remote', mcp: { host: silent.url } };
    const targets = {
      programs: [scripted('only')],
      'one remote target': [remote],
      'several targets': [scripted('one'), scripted('two')],
    }[kind];
    const policies = { timeout: { backendRequestTimeout: '1s' } };
    const { origin, lines } = await serveFile({ mcp: { port: 0, targets, policies } });
    const session = kind === 'one remote target' ? {} : await open(`${origin}/mcp`);
    const name = kind === 'several targets' ? 'one_hang' : 'hang';
    await post(`${origin}/mcp`, { ...call, params: { name, arguments: {} } }, session);
    await until(() => lines.some((each) => each.includes('did not answer in time')));
    expect(lines.filter((each) => each.includes('in time')).map((each) => each.replace(silent.url, 'URL'))).toEqual([
      line,
    ]);
  });
});

test.each<[string, object, string]>([
  ['config.mcp.sessionTtl', {}, 'config.mcp.sessionTtl'],
  ['its own idleTimeoutSeconds', { idleTimeoutSeconds: 60 }, 'idleTimeoutSeconds'],
])('the line about too many sessions of a route with %s names that', async (_what, more, key) => {
  const mcp = { port: 0, targets: [scripted('only')], maxSessions: 1, ...more };
  const { origin, lines } = await serveFile({ config: { mcp: { sessionTtl: '90s' } }, mcp });
  await listen(`${origin}/mcp`, await open(`${origin}/mcp`));
  expect((await post(`${origin}/mcp`, initialize())).status).toBe(503);
  expect(lines.filter((each) => each.includes('503'))).toEqual([
    'warn mcpStdioBackend(): answered 503 (too_many_sessions): Too many sessions are open (maxSessions), ' +
      `and clients use all of them: raise maxSessions if this machine can run more, or lower ${key}`,
  ]);
});
