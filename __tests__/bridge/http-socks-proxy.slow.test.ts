import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { eventsOf, nextMessage } from '../support/mcp-answers.js';
import { open } from '../support/mcp-requests.js';
import { startTarget } from '../support/recording-target.js';

afterEach(() => vi.unstubAllEnvs());

const NO_AUTHENTICATION = Buffer.from([5, 0]);
const CONNECTED = Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);

/** A SOCKS5 proxy (RFC 1928) that leads every tunnel to `port`. */
async function startSocksProxy(port: number): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => {
      socket.write(NO_AUTHENTICATION);
      socket.once('data', () => {
        socket.write(CONNECTED);
        socket.pipe(connect(port, '127.0.0.1')).pipe(socket);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `socks5://127.0.0.1:${(server.address() as { port: number }).port}`;
}

/** undici's own clock for its timeouts. It exports the function for tests. */
async function passInUndici(ms: number): Promise<void> {
  // @ts-expect-error It has no types.
  const { default: timers } = await import('undici/lib/util/timers.js');
  timers.tick(ms);
}

test('a stream through a SOCKS proxy may be quiet for longer than five minutes', async () => {
  const event = (method: string) => `data: ${JSON.stringify({ jsonrpc: '2.0', method })}\n\n`;
  let send = (_text: string): void => undefined;
  const target = await startTarget((req, res) => {
    if (req.method !== 'GET') return res.writeHead(200, { 'mcp-session-id': 'one' }).end('{}');
    send = (text) => res.write(text);
    return res.writeHead(200, { 'content-type': 'text/event-stream' }).write(event('first'));
  });
  vi.stubEnv('HTTP_PROXY', await startSocksProxy(Number(new URL(target.url).port)));
  const remote = await serveRemote('http://mcp.internal/mcp', { dangerouslyAllowHttp: true });
  const ada = await open(remote.url, remote.bearer('ada'));
  const events = eventsOf(await fetch(remote.url, { headers: { ...ada, accept: 'text/event-stream' } }));
  expect(await nextMessage(events)).toMatchObject({ method: 'first' });
  // The timer begins with the next tick of that clock.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await passInUndici(400_000);
  send(event('second'));
  expect(await nextMessage(events)).toMatchObject({ method: 'second' });
});
