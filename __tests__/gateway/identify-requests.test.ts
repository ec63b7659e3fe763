import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type AuthDecision, mcpAuth, mcpHttpBackend } from '../../src/index.js';
import { createTestIssuer } from '../../src/testing/index.js';
import { answer, scripted, serveFile } from '../support/file-gateway.js';
import { originOf, stop } from '../support/loopback-server.js';
import { call, open, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { startRecordingTarget } from '../support/recording-target.js';

const MADE = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const idOf = (response: Response) => response.headers.get('x-request-id');
const route = (policies: object) => ({ mcp: { port: 0, targets: [scripted('only')], policies } });

describe('the command', () => {
  test.each([
    ['of letters', 'abc', true],
    ['of every character that is allowed', '0123-_~.AZ', true],
    ['of 128 characters', 'x'.repeat(128), true],
    ['of 129 characters', 'x'.repeat(129), false],
    ['without characters', '', false],
    ['with a space', 'a b', false],
    ['with a comma', 'a,b', false],
    ['with a quote', 'a"b', false],
    ['beyond ASCII', 'caf\u00e9', false],
  ])('answers with the id of the client if it is short and printable: one %s', async (_case, given, isTaken) => {
    const { origin } = await serveFile(route(answer('hello')));
    const response = await fetch(origin, { headers: { 'x-request-id': given } });
    if (isTaken) expect(idOf(response)).toBe(given);
    else expect(idOf(response)).toMatch(MADE);
  });

  test('makes an id for each request without one, also for those that it refuses', async () => {
    const { origin } = await serveFile(route({}));
    const responses = [await fetch(`${origin}/nowhere`), await fetch(`${origin}/mcp`), await fetch(`${origin}/mcp`)];
    const ids = responses.map(idOf);
    for (const id of ids) expect(id).toMatch(MADE);
    expect(new Set(ids).size).toBe(3);
  });

  test('makes an id in place of a repeated header', async () => {
    const { origin } = await serveFile(route({}));
    const headers = new Headers([
      ['x-request-id', 'one'],
      ['x-request-id', 'two'],
    ]);
    expect(idOf(await fetch(origin, { headers }))).toMatch(MADE);
  });

  const remote = (url: string) => ({ name: 'remote', mcp: { host: url } });

  test.each([
    ['one remote target', (url: string) => ({ targets: [remote(url)] })],
    ['several targets', (url: string) => ({ targets: [remote(url), scripted('local')] })],
    [
      'no sessions',
      (url: string) => ({
        targets: [remote(url), scripted('local')],
        statefulMode: 'stateless',
        anonymousRequests: 'shared',
      }),
    ],
  ])('sends the id to remote servers: %s', async (_case, backend) => {
    const target = await startRecordingTarget();
    const { origin } = await serveFile({ mcp: { port: 0, ...backend(target.url) } });
    const session = await open(`${origin}/mcp`).catch(() => ({}));
    await post(
      `${origin}/mcp`,
      { jsonrpc: '2.0', method: 'notifications/roots/list_changed' },
      { ...session, 'x-request-id': 'of-a-notification' },
    );
    const response = await post(`${origin}/mcp`, call(1, 'remote_x'), { ...session, 'x-request-id': 'of-a-call' });
    await response.text();
    const ids = (method: string) =>
      target.arrived.filter(({ body }) => body.includes(method)).map(({ headers }) => headers['x-request-id']);
    expect(ids('tools/call')).toEqual(['of-a-call']);
    expect(ids('roots/list_changed')).toEqual(['of-a-notification']);
  });

  test('sends its own id once, also where the file forwards the client\u2019s header', async () => {
    const target = await startRecordingTarget();
    const { origin } = await serveFile({
      mcp: { port: 0, targets: [{ name: 'remote', mcp: { host: target.url, requestHeaders: ['x-request-id'] } }] },
    });
    const response = await post(`${origin}/mcp`, call(1, 'x'), { 'x-request-id': 'two words' });
    const sent = target.arrived[0]?.rawHeaders.filter((_, i, all) => all[i - 1]?.toLowerCase() === 'x-request-id');
    expect(sent).toEqual([idOf(response)]);
  });
});

describe('in an application', () => {
  async function serveApp(id: unknown) {
    const target = await startRecordingTarget();
    const { lines, logger } = createRecordingLogger();
    const decisions: AuthDecision[] = [];
    const onDecision = (decision: AuthDecision) => void decisions.push(decision);
    const issuer = createTestIssuer();
    const backend = mcpHttpBackend({ url: target.url, logger });
    const app = express().use((req, _res, next) => {
      Object.assign(req, id === undefined ? {} : { id });
      next();
    });
    app.use(mcpAuth(issuer.policy({ resource: 'https://app.example/mcp', logger, onDecision })), backend);
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(async () => {
      await backend.close();
      await stop(server);
    });
    const headers = { authorization: `Bearer ${issuer.token({ sub: 'ada' })}`, 'x-request-id': 'of-the-client' };
    return { url: originOf(server), headers, target, decisions, lines };
  }

  test('no header is added, and the client\u2019s is not used', async () => {
    const { url, headers, target, decisions } = await serveApp(undefined);
    const response = await post(url, call(1, 'x'), headers);
    expect([response.status, idOf(response)]).toEqual([200, null]);
    expect(target.arrived[0]?.headers['x-request-id']).toBeUndefined();
    expect(decisions[0]?.requestId).toBeUndefined();
  });

  test.each([
    ['req-1', 'req-1'],
    [17, '17'],
    ['two words', undefined],
    [{}, undefined],
  ])('req.id %j is in decisions and their lines, if it is short and printable', async (id, expected) => {
    const { url, headers, target, decisions, lines } = await serveApp(id);
    expect(idOf(await post(url, call(1, 'x'), headers))).toBeNull();
    expect(target.arrived[0]?.headers['x-request-id']).toBeUndefined();
    await post(url, call(1, 'x'), { authorization: 'Bearer not-a-token' });
    expect(decisions.map(({ requestId }) => requestId)).toEqual([expected, expected]);
    const line = lines.find((each) => each.includes('opaque_token'));
    if (expected === undefined) expect(line).not.toContain('(request');
    else expect(line?.endsWith(` (request ${expected})`)).toBe(true);
  });
});
