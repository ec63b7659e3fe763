import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startAuthenticatedBridge } from '../support/authenticated-bridge.js';
import {
  initialize,
  JSON_HEADERS,
  postStateless,
  statelessCall,
  statelessHeaders,
  statelessRequest,
} from '../support/mcp-requests.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

type StatelessMessage = ReturnType<typeof statelessRequest>;
type Message = StatelessMessage | ReturnType<typeof initialize>;

function textOf(url: string, message: Message): string {
  const { host, pathname } = new URL(url);
  const body = JSON.stringify(message);
  const isStateless = '_meta' in message.params;
  const own = { host, ...JSON_HEADERS, ...(isStateless && statelessHeaders(message as StatelessMessage)) };
  const lines = Object.entries({ ...own, 'content-length': `${body.length}` }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `POST ${pathname} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Sends all of them on one connection without waiting for an answer. */
function pipeline(url: string, messages: readonly Message[]) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => undefined);
  socket.resume().write(messages.map((message) => textOf(url, message)).join(''));
  return socket;
}

const hang = (id: number) => statelessCall(id, 'hang');

describe('a client that hangs up while answers wait behind another leaves nothing behind', () => {
  test.each<[string, readonly Message[], number]>([
    ['calls that hang', [hang(1), hang(2), hang(3)], 3],
    ['calls that are answered', [hang(1), statelessRequest(2, 'ping'), statelessRequest(3, 'ping')], 1],
  ])('of anonymous %s', async (_what, messages, pending) => {
    const { url, backend, stop } = await serve({ env: { STATELESS: '1' } });
    const socket = pipeline(url, messages);
    await until(() => backend.stats().children === 3 && backend.stats().pending === pending);
    socket.destroy();
    await until(() => backend.stats().children === 0);
    expect(backend.stats()).toEqual({ sessions: 0, children: 0, pending: 0, restarts: 0 });
    await stop();
  });

  test('at a shared child: its requests are cancelled', async () => {
    const { url, backend, stop } = await serve({ env: { STATELESS: '1' }, anonymousRequests: 'shared' });
    const socket = pipeline(url, [hang(1), hang(2), hang(3)]);
    await until(() => backend.stats().pending === 3);
    socket.destroy();
    await until(() => backend.stats().pending === 0);
    await stop();
  });

  test('of sessions that are not open yet', async () => {
    const served = await serve({ env: { MUTE_AT_START: '1' } });
    const socket = pipeline(served.url, [initialize(), initialize()]);
    await until(() => served.backend.stats().sessions === 2);
    socket.destroy();
    await until(() => served.backend.stats().children === 0);
    await served.stop();
  });

  test('and takes no place from other anonymous callers', async () => {
    const bridge = await startAuthenticatedBridge({ maxSessions: 8 }, { mode: 'optional' });
    const socket = pipeline(bridge.url, [hang(1), hang(2)]);
    await until(() => bridge.backend.stats().pending === 2);
    socket.destroy();
    await until(() => bridge.backend.stats().children === 0);
    expect((await postStateless(bridge.url, statelessRequest(1, 'ping'))).status).toBe(200);
    await bridge.stop();
  });
});
