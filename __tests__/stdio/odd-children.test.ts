import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SILENT } from '../../src/logger.js';
import { Child } from '../../src/stdio/child.js';
import { dropWatchdog, takeWatchdog } from '../../src/stdio/watchdog.js';
import {
  call,
  callText,
  fixture,
  initialize,
  modern,
  modernCall,
  modernText,
  NODE,
  open,
  post,
  postModern,
  SCRIPTED,
  type Served,
  serve,
  until,
} from './support.js';

const started = async (options: Parameters<typeof serve>[0]): Promise<Served> => {
  const served = await serve(options);
  onTestFinished(() => served.stop());
  return served;
};
const reasonOf = async (response: Response): Promise<unknown> =>
  ((await response.json()) as { error?: { data: { reason: string } } }).error?.data.reason;

it('a process without descriptors refuses a session, and lives on', async () => {
  const command = `ulimit -n 64; exec "$0" "$@"`;
  const child = spawn('sh', ['-c', command, NODE, fixture('few-descriptors.mjs'), SCRIPTED], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect([said, code]).toEqual(['[true,200]\n', 0]);
});

it('a child that closes its input, and lives on, is ended: nobody waits for it', async () => {
  const { url } = await started({});
  const session = await open(url);
  expect(await callText(url, session, 'deaf')).toBe('listening no more');
  const response = await post(url, call(3, 'echo'), session);
  expect(['child_exited', 'unknown_session']).toContain(await reasonOf(response));
});

describe('an answer over the limit', () => {
  it.each(['a', 'é', '1.5', 1.5, -2e-3])('fails the call with the id %j', async (id) => {
    const { url } = await started({ maxMessageBytes: 100_000 });
    const session = await open(url);
    for (const tool of ['big', 'big-id-first', 'big-in-parts']) {
      const waiting = post(url, call('other', 'progress', { steps: 1, delay: 500 }), session);
      const failed = await post(url, call(id, tool, { bytes: 300_000 }), session);
      expect(await failed.json()).toMatchObject({ id, error: { data: { reason: 'message_too_large' } } });
      expect(await (await waiting).json(), `beside ${tool}`).toMatchObject({ id: 'other', result: {} });
    }
  });
});

describe('a session that does not come about leaves nothing behind', () => {
  it.each<[string, Parameters<typeof serve>[0], number | undefined]>([
    ['initialize is not answered in time', { requestTimeoutSeconds: 1, env: { MUTE_AT_START: '1' } }, 504],
    ['its answer is too long', { maxMessageBytes: 1_000, env: { LONG_START: '5000' } }, 502],
    ['the client hangs up', { env: { MUTE_AT_START: '1' } }, undefined],
  ])('where %s', async (_name, options, status) => {
    const { url, backend } = await started(options);
    const signal = status === undefined ? AbortSignal.timeout(300) : undefined;
    const answered = await post(url, initialize(), {}, signal).then(
      (response) => response.status,
      () => undefined,
    );
    expect(answered).toBe(status);
    await until(() => backend.stats().sessions === 0 && backend.stats().children === 0);
  });
});

it('processes stay bounded also where children do not want to end', async () => {
  const { url, backend } = await started({ maxSessions: 2, env: { STUBBORN: '1' } });
  let refused = 0;
  for (let i = 0; i < 10; i++) {
    const response = await post(url, initialize());
    if (response.status === 503) refused++;
    else {
      const session = { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
      await fetch(url, { method: 'DELETE', headers: session });
    }
    expect(backend.stats().children).toBeLessThanOrEqual(4);
  }
  expect(refused).toBeGreaterThan(0);
});

it('a child that is slow to start is not taken for idle', async () => {
  const { url } = await started({ idleTimeoutSeconds: 1, env: { MODERN: '1', SLOW_START: '2500' } });
  expect((await postModern(url, modern(1, 'ping'))).status).toBe(200);
});

it('a shared child that reads nothing keeps nobody from opening a session', async () => {
  const { url } = await started({ env: { MODERN: '1' } });
  modernText(url, 'nap', { ms: 5_000 }).catch(() => undefined);
  await until(async () => {
    const big = {
      jsonrpc: '2.0',
      method: 'notifications/x',
      params: modern(0, 'x', { big: 'x'.repeat(500_000) }).params,
    };
    const response = await Promise.race([
      postModern(url, big as never),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 200)),
    ]);
    return response === undefined;
  });
  expect((await post(url, initialize(), {}, AbortSignal.timeout(2_500))).status).toBe(200);
});

describe('parameters in headers', () => {
  it('are checked by what was learnt, where the child lists its tools no more', async () => {
    const { url } = await started({ env: { MODERN: '1', LISTS_ONCE: '1' } });
    const wrong = { 'mcp-param-region': 'us' };
    for (const _ of [1, 2]) {
      const response = await postModern(url, modernCall(1, 'mirrored', { region: 'eu' }), wrong);
      expect([response.status, await reasonOf(response)]).toEqual([400, 'header_mismatch']);
    }
  });

  it.each([
    ['name', { name: { toString: 1, valueOf: 1 } }],
    ['argument', { name: 'mirrored', arguments: { region: { toString: 1, valueOf: 1 } } }],
  ])('that no text can be made of (%s) are no fault of ours', async (_name, params) => {
    const { url, errors } = await started({ env: { MODERN: '1' } });
    const message = modern(1, 'tools/call', params);
    const response = await postModern(url, message, { 'mcp-name': 'mirrored', 'mcp-param-region': 'x' });
    expect(response.status).not.toBe(500);
    expect(errors).toEqual([]);
  });
});

it('a client that takes JSON only gets no event stream', async () => {
  const { url } = await started({ env: { MODERN: '1' } });
  const message = modernCall(1, 'progress', { steps: 3 }, { progressToken: 'a' });
  const response = await postModern(url, message, { accept: 'application/json' });
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toMatchObject({ id: 1, result: {} });
});

it('a response to nothing does not end a session that is about to open', async () => {
  const program = `process.stdout.write('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"early"}}\\n'); await import(${JSON.stringify(SCRIPTED)});`;
  const { url } = await started({ args: ['--input-type=module', '-e', program] });
  expect(await callText(url, await open(url), 'echo')).toBe('{}');
});

describe('a reader of what a child said', () => {
  const patience = 400;
  const answering = async (bytes: number) => {
    const child = new Child(
      {
        command: NODE,
        args: [SCRIPTED],
        cwd: undefined,
        maxMessageBytes: 1,
        maxWaiting: 1,
        waitMs: 0,
        watchdog: takeWatchdog(),
        logger: SILENT,
      },
      {},
    );
    let closed = false;
    const server = createServer((_req, res) => {
      res.end('x'.repeat(bytes));
      res.once('close', () => {
        closed = true;
      });
      child.holdFor(res, patience);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(async () => {
      server.closeAllConnections();
      server.close();
      await child.stop();
      await dropWatchdog();
    });
    const [response] = (await once(get(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 'response')) as [
      IncomingMessage,
    ];
    return { response, isClosed: () => closed };
  };

  it('may be slow', async () => {
    const { response } = await answering(20_000_000);
    const began = Date.now();
    let taken = 0;
    for await (const chunk of response) {
      taken += chunk.length;
      // Some 10 MB a second.
      await new Promise((resolve) => setTimeout(resolve, chunk.length / 10_000));
    }
    expect(taken).toBe(20_000_000);
    expect(Date.now() - began, 'longer than anybody has patience for').toBeGreaterThan(2 * patience);
  });

  it('is cut off when it takes nothing', async () => {
    const { response, isClosed } = await answering(50_000_000);
    await until(isClosed);
    await expect(once(response.resume(), 'end')).rejects.toThrow('aborted');
  });
});
