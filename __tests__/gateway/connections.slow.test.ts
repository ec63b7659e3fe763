import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { answer, serveFile } from '../support/file-gateway.js';
import { sendRaw } from '../support/raw-request.js';
import { undisturbed } from '../support/undisturbed.js';

const file = (config: object) => ({
  config,
  gateways: { default: { port: 0 } },
  routes: [{ policies: answer('hello') }],
});

/** One connection on which requests follow each other. */
function openConnection(origin: string) {
  const { port, hostname } = new URL(origin);
  const socket: Socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const ask = (): Promise<string> =>
    new Promise((resolve) => {
      const over = (text: string) => {
        socket.off('data', onData).off('close', onClose);
        resolve(text);
      };
      const onData = (chunk: Buffer) => over(chunk.toString('latin1'));
      const onClose = () => over('closed');
      socket.on('data', onData).on('close', onClose);
      socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    });
  socket.on('error', () => undefined);
  return { socket, ask };
}

describe('a connection without a request', () => {
  test('is said to stay for 75 seconds', async () => {
    const { origin } = await serveFile(file({}));
    expect(await openConnection(origin).ask()).toMatch(/\r\nKeep-Alive: timeout=75\r\n/);
  });

  test('takes a request that is sent just before, at and after the time that was said', async () => {
    const { origin } = await serveFile(file({ keepAliveTimeout: '1s' }));
    // The longest are far from the real end, so that a busy machine may be late.
    const pauses = [900, 950, 990, 1_000, 1_010, 1_050, 1_100, 1_200, 1_300];
    const askTwice = async (pause: number) => {
      const { ask } = openConnection(origin);
      expect(await ask()).toContain('Keep-Alive: timeout=1\r\n');
      await delay(pause);
      return (await ask()).split('\r\n')[0];
    };
    const answers = await undisturbed(1_800, () => Promise.all(pauses.map(askTwice)));
    expect(answers).toEqual(pauses.map(() => 'HTTP/1.1 200 OK'));
  });

  test('ends after that time', async () => {
    const { origin } = await serveFile(file({ keepAliveTimeout: '1s' }));
    const { socket, ask } = openConnection(origin);
    await ask();
    const before = performance.now();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(performance.now() - before).toBeGreaterThan(1_500);
  });

  test("is reused by Node's client until its end, and no request is lost", async () => {
    const { origin } = await serveFile(file({ keepAliveTimeout: '1s' }));
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const req = request(origin, { agent }, (res) => res.resume().on('end', () => resolve(res.statusCode)));
        req.on('error', reject).end();
      });
    for (let pause = 970; pause <= 1_030; pause += 20) {
      const statuses = await undisturbed(pause + 300, async () => {
        const first = await ask();
        await delay(pause);
        return [first, await ask().catch(String)];
      });
      expect(statuses).toEqual([200, 200]);
    }
  });
});

describe('a request that arrives too slowly is answered 408, and logged once', () => {
  const times = { headersTimeout: '1s', requestTimeout: '2s' };

  test.each([
    ['its headers do not end', 'GET / HTTP/1.1\r\nhost: localhost\r\n'],
    [
      'its body does not end',
      'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\nabc',
    ],
  ])('%s', async (_what, text) => {
    const { origin, lines } = await serveFile({
      config: times,
      mcp: { port: 0, targets: [{ stdio: { cmd: process.execPath, args: ['-e', ''] } }] },
    });
    const answers = await Promise.all([sendRaw(origin, text), sendRaw(origin, text)]);
    for (const each of answers) expect(each).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(lines.filter((line) => line.includes('408'))).toEqual([
      'warn a request did not arrive in time, and was answered 408: headers within 1 s (config.headersTimeout), all of it within 2 s (config.requestTimeout)',
    ]);
  });
});
