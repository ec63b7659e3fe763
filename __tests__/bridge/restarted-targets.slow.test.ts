import { afterEach, expect, test } from 'vitest';
import type { McpBackendOptions } from '../../src/index.js';
import { messagesOf } from '../support/mcp-answers.js';
import { call, initialize, post } from '../support/mcp-requests.js';
import { endPrograms } from '../support/program.js';
import { startEverything } from '../support/remote-servers.js';
import { serveTargets } from '../support/several-backend.js';
import { fixture, NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const ADA = { authorization: 'Bearer ada' };
const two = { two: { command: NODE, args: [fixture('plain-target.mjs')] } };

afterEach(endPrograms);

/** A client that opens a session when it has none, or has lost it. */
function clientOf(url: string) {
  let session = '';
  const send = async (message: object): Promise<Response> => {
    const headers = {
      ...ADA,
      'mcp-protocol-version': '2025-06-18',
      ...(session !== '' && { 'mcp-session-id': session }),
    };
    return post(url, message, headers);
  };
  const open = async () => {
    session = '';
    const response = await send(initialize());
    session = response.headers.get('mcp-session-id') ?? '';
    await response.text();
    await send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  };
  const request = async (message: object) => {
    let response = await send(message);
    if (response.status === 404 && session !== '') {
      await open();
      response = await send(message);
    }
    const answers = await messagesOf(response);
    return answers.at(-1) as { result?: { tools?: { name: string }[] }; error?: object };
  };
  return { open, request };
}

/** SDK v1 and its examples answer 400 to a session id that they do not know. */
test.each<[who: string, tool: string, options: Omit<McpBackendOptions, 'targets'>, others: object]>([
  ['alone', 'echo', {}, {}],
  ['alone, with sessions: false', 'echo', { sessions: false }, {}],
  ['of several, failClosed', 'one_echo', {}, two],
  ['of several, failOpen', 'one_echo', { failureMode: 'failOpen' }, two],
  ['of several, with sessions: false', 'one_echo', { sessions: false }, two],
])('a server of SDK v1 that restarts at its port is used again: %s', async (_who, tool, options, others) => {
  const first = await startEverything();
  const { url } = await serveTargets({ targets: { one: { url: first.url }, ...others }, ...options });
  const client = clientOf(url);
  await client.open();
  let calls = 0;
  const isCalled = async () => {
    const { result } = await client.request(call(++calls, tool, { message: 'hi' }));
    return result !== undefined;
  };
  const isListed = async () => {
    const { result } = await client.request({ jsonrpc: '2.0', id: `list-${++calls}`, method: 'tools/list' });
    return result?.tools?.some(({ name }) => name === tool) ?? false;
  };
  expect([await isCalled(), await isListed()]).toEqual([true, true]);
  await first.program.stop('SIGKILL');
  await startEverything(Number(new URL(first.url).port));
  // The first call may find out that the session is lost, and several targets wait for a second between two connections to one.
  await until(isCalled, 5_000);
  expect([await isCalled(), await isListed()]).toEqual([true, true]);
});
