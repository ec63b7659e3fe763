import type { RequestHandler } from 'express';
import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { answerMcp, type RecordingTarget, startRecordingTarget } from '../support/recording-target.js';
import { until } from '../support/until.js';

/** A target that answers a POST without a session when it is told to. */
async function startLateTarget() {
  const waiting: (() => void)[] = [];
  let gone = 0;
  const answer = answerMcp();
  const target = await startRecordingTarget((arrived, res, req) => {
    if (arrived.method !== 'POST' || 'mcp-session-id' in arrived.headers) return answer(arrived, res, req);
    res.once('close', () => gone++);
    waiting.push(() => answer(arrived, res, req));
  });
  return { target, waiting, gone: () => gone };
}

/** Ada opens a session, and leaves before the target answers. */
async function leaveEarly(remote: Awaited<ReturnType<typeof serveRemote>>, waiting: readonly unknown[], body: unknown) {
  const leaving = new AbortController();
  const left = post(remote.url, body, remote.bearer('ada'), leaving.signal);
  await until(() => waiting.length === 1);
  leaving.abort();
  await expect(left).rejects.toThrow();
}

const endedAt = (target: RecordingTarget) =>
  target.arrived.filter(({ method }) => method === 'DELETE').map(({ headers }) => headers);

/** Bodies that a server reads as `initialize`, although two of them look different. */
const SPELLINGS: [string, string][] = [
  ['initialize', JSON.stringify(initialize())],
  ['initialize with escapes', JSON.stringify(initialize()).replace('initialize', '\\u0069nitialize')],
  ['a long initialize', JSON.stringify(initialize()) + ' '.repeat(100_000)],
];

describe('a client that leaves before the answer leaves no session at the target', () => {
  test.each(SPELLINGS)('%s', async (_name, body) => {
    const { target, waiting } = await startLateTarget();
    const remote = await serveRemote(target.url, { headers: { 'x-key': 'of the application' } });
    await leaveEarly(remote, waiting, body);
    await until(() => remote.backend.stats().pending === 0);
    waiting[0]?.();
    await until(() => endedAt(target).length > 0);
    expect(endedAt(target)).toEqual([
      expect.objectContaining({ 'mcp-session-id': 'session-1', 'x-key': 'of the application' }),
    ]);
    expect(remote.backend.stats()).toEqual({ sessions: 0, streams: 0, pending: 0 });
    expect(remote.lines.filter((line) => line.includes('mcpHttpBackend()'))).toEqual([]);
  });

  test('until then, it counts as a request in flight', async () => {
    const { target, waiting } = await startLateTarget();
    const remote = await serveRemote(target.url, { maxPendingRequests: 1 });
    await leaveEarly(remote, waiting, initialize());
    await until(() => remote.backend.stats().pending === 0);
    expect((await post(remote.url, initialize(), remote.bearer('ada'))).status).toBe(429);
    waiting[0]?.();
    await until(() => endedAt(target).length > 0);
    const next = post(remote.url, initialize(), remote.bearer('ada'));
    await until(() => waiting.length === 2);
    waiting[1]?.();
    expect((await next).status).toBe(200);
  });

  test('a target that never answers: after 10 seconds the request ends there', async () => {
    const { target, waiting, gone } = await startLateTarget();
    const remote = await serveRemote(target.url, { maxPendingRequests: 1 });
    await leaveEarly(remote, waiting, initialize());
    const since = performance.now();
    await until(() => gone() === 1, 30_000);
    expect(performance.now() - since).toBeGreaterThan(9_000);
    expect((await post(remote.url, '{', { ...remote.bearer('ada'), 'content-encoding': 'x' })).status).toBe(415);
  });

  test('a token that is withdrawn before the answer', async () => {
    const { target, waiting } = await startLateTarget();
    const remote = await serveRemote(target.url);
    const opening = post(remote.url, initialize(), remote.bearer('ada'));
    await until(() => waiting.length === 1);
    remote.auth.revoke(() => true);
    expect((await opening).status).toBe(401);
    waiting[0]?.();
    await until(() => endedAt(target).length > 0);
  });
});

test('any other request ends at the target as soon as its client leaves', async () => {
  const { target, waiting, gone } = await startLateTarget();
  const remote = await serveRemote(target.url);
  const leaving = new AbortController();
  const left = post(remote.url, call(1, 'x'), remote.bearer('ada'), leaving.signal);
  await until(() => waiting.length === 1);
  leaving.abort();
  await expect(left).rejects.toThrow();
  await until(() => gone() === 1);
});

test('a session id of another caller is not ended', async () => {
  let isFirst = true;
  const waiting: (() => void)[] = [];
  const target = await startRecordingTarget(({ method }, res) => {
    const answer = () => void res.writeHead(200, { 'mcp-session-id': 'the-same' }).end('{}');
    if (isFirst || method !== 'POST') answer();
    else waiting.push(answer);
    isFirst = false;
  });
  const remote = await serveRemote(target.url);
  await open(remote.url, remote.bearer('ada'));
  const leaving = new AbortController();
  const left = post(remote.url, initialize(), remote.bearer('bob'), leaving.signal);
  await until(() => waiting.length === 1);
  leaving.abort();
  await expect(left).rejects.toThrow();
  await until(() => remote.backend.stats().pending === 0);
  waiting[0]?.();
  const ada = { ...remote.bearer('ada'), 'mcp-session-id': 'the-same' };
  const seen = post(remote.url, call(1, 'x'), ada);
  await until(() => waiting.length === 2);
  waiting[1]?.();
  expect((await seen).status).toBe(200);
  expect(endedAt(target)).toEqual([]);
});

test('another middleware has begun an answer meanwhile: the session is ended at the target', async () => {
  const { target, waiting } = await startLateTarget();
  const answerBefore: RequestHandler = async (_req, res, next) => {
    next();
    await until(() => waiting.length === 1);
    res.writeHead(503).write('begun');
    waiting[0]?.();
    await until(() => endedAt(target).length > 0);
    res.end();
  };
  const remote = await serveRemote(target.url, {}, { before: [answerBefore] });
  const response = await post(remote.url, initialize(), remote.bearer('ada'));
  expect([response.status, await response.text()]).toEqual([503, 'begun']);
  expect(endedAt(target)).toEqual([expect.objectContaining({ 'mcp-session-id': 'session-1' })]);
});

test('the answer cannot be forwarded: the session is ended at the target', async () => {
  const target = await startRecordingTarget((_arrived, res) => {
    res.writeHead(200, { 'content-encoding': 'gzip', 'mcp-session-id': 'session-1' }).end('x');
  });
  const remote = await serveRemote(target.url);
  const response = await post(remote.url, initialize(), remote.bearer('ada'));
  expect([response.status, response.headers.get('mcp-session-id')]).toEqual([502, null]);
  await until(() => endedAt(target).length > 0);
  expect(endedAt(target)).toEqual([expect.objectContaining({ 'mcp-session-id': 'session-1' })]);
});
