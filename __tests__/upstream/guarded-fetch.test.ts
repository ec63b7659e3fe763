import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { FetchError } from '../../src/upstream/bounded-fetch.js';
import type { Guard } from '../../src/upstream/guard.js';
import { type GuardedInit, guardedFetch } from '../../src/upstream/guarded-fetch.js';
import { isPublicAddress } from '../../src/upstream/public-address.js';
import { serve, unreachableUrl } from '../support/loopback-server.js';

const LIMITS = { timeoutMs: 5_000, maxBytes: 100 };
const ANYWHERE: Guard = { mayConnect: () => true, reads: () => true };

const call = (url: string, { mayConnect = ANYWHERE.mayConnect, limits = LIMITS, init = {} as GuardedInit } = {}) =>
  guardedFetch(new URL(url), init, limits, { ...ANYWHERE, mayConnect });

async function failureOf(attempt: Promise<unknown>): Promise<FetchError> {
  const error = await attempt.then(
    () => expect.fail('it was answered'),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FetchError);
  return error as FetchError;
}

test('returns status, headers, body and remote address', async () => {
  const origin = await serve((req, res) => {
    res.writeHead(418, { 'set-cookie': ['a=1', 'b=2'], 'x-sent': `${req.method} ${req.headers['x-mine']}` });
    req.pipe(res);
  });
  const answer = await call(`${origin}/a?b`, { init: { method: 'POST', headers: { 'x-mine': '1' }, body: 'hello' } });
  expect(answer).toMatchObject({ status: 418, isWhole: true, remoteAddress: '127.0.0.1' });
  expect(answer.bytes.toString()).toBe('hello');
  expect(answer.headers.get('x-sent')).toBe('POST 1');
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
});

test.each(['localhost', '127.0.0.1', '0x7f.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '0', 'ip6-localhost'])(
  'makes no connection to %s if only public addresses are allowed',
  async (host) => {
    let requests = 0;
    const { port } = new URL(
      await serve((_req, res) => {
        requests += 1;
        res.end();
      }),
    );
    const error = await failureOf(call(`http://${host}:${port}/`, { mayConnect: isPublicAddress }));
    // Some machines cannot resolve some of these names.
    expect(['ADDRESS_REFUSED', 'ENOTFOUND', 'EAI_AGAIN']).toContain(error.code);
    expect(requests).toBe(0);
  },
);

test('connects to the address that was checked', async () => {
  const origin = await serve((_req, res) => void res.end('x'));
  const checked: string[] = [];
  const mayConnect = (address: string) => checked.push(address) > 0;
  const { remoteAddress } = await call(origin.replace('127.0.0.1', 'localhost'), { mayConnect });
  expect(checked).toContain(remoteAddress);
});

test.each<[what: string, answer: (res: ServerResponse) => void, expected: object, timeoutMs?: number]>([
  ['no answer', () => undefined, { code: 'TimeoutError', message: 'no answer within 0.2 seconds', answered: false }],
  ['half an answer', (res) => res.writeHead(200).write('{'), { code: 'TimeoutError' }],
  ['a slow drip', drip, { code: 'TimeoutError' }],
  ['a hang-up', (res) => void res.destroy(), { code: 'ECONNRESET', answered: false }, 15_000],
])('fails after %s', async (_what, answer, expected, timeoutMs = 200) => {
  const origin = await serve((_req, res) => answer(res));
  const limits = { timeoutMs, maxBytes: 10_000 };
  expect(await failureOf(call(origin, { limits }))).toMatchObject(expected);
});

/** Looks up every name as this machine, after this time. */
const resolveAfter =
  (ms: number, asked: string[] = []) =>
  async (name: string) => {
    asked.push(name);
    await setTimeout(ms);
    return [{ address: '127.0.0.1', family: 4 }];
  };

test.each([
  [
    'through a proxy of the environment, if there is one',
    false,
    'LOOKUP_TIMEOUT',
    'the name slow.example was not resolved within 0.2 seconds',
  ],
  ['directly', true, 'TimeoutError', 'no answer within 0.2 seconds'],
])('the time limit includes the look-up: %s', async (_what, isDirect, code, message) => {
  const { port } = new URL(await serve((_req, res) => void res.end('x')));
  const began = performance.now();
  const limits = { timeoutMs: 200, maxBytes: 100 };
  const network = { resolve: resolveAfter(3_000) };
  const error = await failureOf(
    guardedFetch(new URL(`http://slow.example:${port}`), {}, limits, { ...ANYWHERE, isDirect }, network),
  );
  expect(error).toMatchObject({ code, message, answered: false });
  expect(performance.now() - began).toBeLessThan(2_000);
});

test('the time of the look-up is not added to that of the answer', async () => {
  const { port } = new URL(await serve((_req, res) => void setTimeout(300).then(() => res.end('x'))));
  const slow = resolveAfter(300);
  let isKnown = false;
  const resolve = async (name: string) => {
    if (!isKnown) await slow(name);
    isKnown = true;
    return [{ address: '127.0.0.1', family: 4 }];
  };
  const limits = { timeoutMs: 450, maxBytes: 100 };
  const call = guardedFetch(new URL(`http://slow.example:${port}`), {}, limits, ANYWHERE, { resolve });
  expect(await failureOf(call)).toMatchObject({ code: 'TimeoutError' });
});

test('a name is looked up once for its check and its connection, even if that fails', async () => {
  const { port } = new URL(await serve((_req, res) => void res.end('x')));
  const asked: string[] = [];
  const found = resolveAfter(0, asked);
  await guardedFetch(new URL(`http://good.example:${port}`), {}, LIMITS, ANYWHERE, { resolve: found });
  const failing = async (name: string) => {
    asked.push(name);
    throw Object.assign(new Error('EAI_AGAIN'), { code: 'EAI_AGAIN' });
  };
  const call = guardedFetch(new URL(`http://failing.example:${port}`), {}, LIMITS, ANYWHERE, { resolve: failing });
  expect(await failureOf(call)).toMatchObject({ code: 'EAI_AGAIN' });
  expect(asked).toEqual(['good.example', 'failing.example']);
});

function drip(res: ServerResponse): void {
  const timer = setInterval(() => res.write(' '), 20);
  res.on('close', () => clearInterval(timer));
}

test('reads no more than maxBytes, and follows no redirect', async () => {
  const origin = await serve((req, res) =>
    req.url === '/moved' ? void res.writeHead(302, { location: '/' }).end() : void res.end(' '.repeat(10_000)),
  );
  expect(await call(origin)).toMatchObject({ status: 200, isWhole: false });
  expect(await call(`${origin}/moved`)).toMatchObject({ status: 302 });
});

test.each(['file:///etc/passwd', 'ftp://127.0.0.1/', 'javascript:alert(1)', 'data:,x'])(
  '%s is not called',
  async (url) => {
    expect(await failureOf(call(url))).toMatchObject({ code: 'ERR_INVALID_PROTOCOL' });
  },
);

test('fails with a code if nothing listens, or something other than HTTP answers', async () => {
  expect(await failureOf(call(await unreachableUrl()))).toMatchObject({
    code: 'ECONNREFUSED',
    message: 'ECONNREFUSED',
  });
  const server = createServer((socket) => void socket.end('SSH-2.0-x\r\n'));
  expect((await failureOf(call(`http://127.0.0.1:${await portOf(server)}`))).code).toMatch(/^HPE_/);
});

test('a user name and a password in the URL are not sent', async () => {
  const origin = await serve((req, res) => void res.end(req.headers.authorization ?? 'none'));
  expect((await call(origin.replace('//', '//user:secret@'))).bytes.toString()).toBe('none');
});

test('calls only the ports that the guard allows, also those that a URL leaves out', async () => {
  const origin = await serve((_req, res) => void res.end('x'));
  const port = Number(new URL(origin).port);
  const asked: number[] = [];
  const guard: Guard = { ...ANYWHERE, mayUsePort: (each) => asked.push(each) > 0 && each === port };
  expect(await guardedFetch(new URL(origin), {}, LIMITS, guard)).toMatchObject({ status: 200 });
  for (const url of ['http://127.0.0.1/', 'https://127.0.0.1/', 'http://127.0.0.1:22/', 'http://127.0.0.1:0/']) {
    const error = await failureOf(guardedFetch(new URL(url), {}, LIMITS, guard));
    expect(error).toMatchObject({ code: 'PORT_REFUSED', answered: false });
    expect(error.message).toBe(`not called, since port ${asked.at(-1)} is not allowed`);
  }
  expect(asked).toEqual([port, 80, 443, 22, 0]);
});

test('asks for no compression, and decompresses within maxBytes', async () => {
  let asked: unknown;
  const origin = await serve((req, res) => {
    asked = req.headers['accept-encoding'];
    const size = Number(req.url?.slice(1));
    res.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(' '.repeat(size)));
  });
  expect((await call(`${origin}/100`)).bytes.toString()).toBe(' '.repeat(100));
  expect(await call(`${origin}/101`)).toMatchObject({ status: 200, isWhole: false });
  expect(asked).toBe('identity');
});

test.each(['gzip,', ', GZIP', 'identity, gzip'])('the encoding %j is one of gzip', async (encoding) => {
  const origin = await serve(
    (_req, res) => void res.writeHead(200, { 'content-encoding': encoding }).end(gzipSync('x')),
  );
  expect((await call(origin)).bytes.toString()).toBe('x');
});

test('an encoding that is not known is an error, unless the body is not needed', async () => {
  const origin = await serve((_req, res) => void res.writeHead(200, { 'content-encoding': 'zstd' }).end('x'));
  expect(await failureOf(call(origin))).toMatchObject({
    code: 'UNREADABLE_ENCODING',
    message: 'its Content-Encoding is none of gzip, deflate and br',
    answered: true,
  });
  const unread = guardedFetch(new URL(origin), {}, LIMITS, { ...ANYWHERE, reads: () => false });
  expect(await unread).toMatchObject({ status: 200, bytes: Buffer.alloc(0) });
});

test('reads the body, or not, by status and headers', async () => {
  const origin = await serve((req, res) => void res.writeHead(Number(req.url?.slice(1)), { 'x-a': 'b' }).end('x'));
  const reads: Guard['reads'] = (headers, status) => status === 200 && headers.get('x-a') === 'b';
  const bodyAt = async (status: number) =>
    (await guardedFetch(new URL(`${origin}/${status}`), {}, LIMITS, { ...ANYWHERE, reads })).bytes.toString();
  expect([await bodyAt(200), await bodyAt(404)]).toEqual(['x', '']);
});

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}
