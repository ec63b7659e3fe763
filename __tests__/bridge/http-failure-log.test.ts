import type { OutgoingHttpHeaders } from 'node:http';
import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { startRecordingTarget, startTarget } from '../support/recording-target.js';

const answering = (status: number, headers: OutgoingHttpHeaders = {}) =>
  startTarget((_req, res) => res.writeHead(status, headers).end());

/** The end of the one line about an answer of the target, and the body that the client got. */
async function lineFor(status: number, headers: OutgoingHttpHeaders, options: object = {}, user?: string) {
  const target = await answering(status, headers);
  const remote = await serveRemote(`${target.url}?key=of-the-query`, options, { policy: { mode: 'optional' } });
  const caller = user === undefined ? {} : remote.bearer(user);
  const response = await post(remote.url, initialize(), caller);
  const [line = '', ...others] = remote.lines.filter((text) => text.includes('error mcpHttpBackend()'));
  expect(others).toEqual([]);
  return { line: line.replace(/^.*?\(target_\w+\)(?:: )?/, ''), body: await response.text() };
}

describe('the log line of target_refused', () => {
  const callerToken = { issuer: 'https://gateway.example/callers' };
  test.each<[string, object, string | undefined, string]>([
    ['none', {}, 'ada', 'none'],
    ['bearer', { bearer: 'secret-of-the-target' }, 'ada', 'bearer'],
    ['callerToken', { callerToken }, 'ada', 'callerToken (iss https://gateway.example/callers, aud URL)'],
    ['no callerToken', { callerToken }, undefined, 'no callerToken, because the caller is anonymous'],
    ['headers', { headers: { 'x-key': 'secret-of-the-target', 'x-no': undefined } }, 'ada', 'headers (x-key)'],
    ['Authorization in headers', { headers: { Authorization: 'Basic secret' } }, 'ada', 'headers (authorization)'],
    [
      'two kinds',
      { bearer: 'secret-of-the-target', headers: async () => ({ 'x-user': 'ada' }) },
      'ada',
      'bearer and headers (x-user)',
    ],
  ])('names the credentials that were sent: %s', async (_name, options, user, credentials) => {
    const { line, body } = await lineFor(401, {}, options, user);
    expect(line.replace(/http:\/\/127\.0\.0\.1:\d+\/mcp/, 'URL')).toBe(
      `credentials sent: ${credentials}; no WWW-Authenticate`,
    );
    expect(body).not.toContain('credentials sent');
  });

  test.each([401, 403, 421])('has the challenge of the target: %i', async (status) => {
    const challenge = 'Bearer error="invalid_token", error_description="wrong audience"';
    const { line, body } = await lineFor(status, { 'www-authenticate': challenge });
    expect(line).toBe(`credentials sent: none; WWW-Authenticate: ${challenge}`);
    expect(body).not.toContain('wrong audience');
  });

  test.each<[string, object, string]>([
    ['bearer', { bearer: 'sk-1234' }, 'sk-1234'],
    ['a Basic credential', { headers: { authorization: 'Basic c2VjcmV0' } }, 'c2VjcmV0'],
    ['a header', { headers: { 'x-key': 'k-1234' } }, 'k-1234'],
  ])('has no secret that the target repeats: %s', async (_name, options, secret) => {
    const repeated = { 'www-authenticate': `Bearer error_description="${secret} is wrong"` };
    const { line } = await lineFor(401, repeated, options, 'ada');
    expect(line).toContain('WWW-Authenticate: Bearer error_description="… is wrong"');
  });

  test('has neither the session id nor a header of the client that the target repeats', async () => {
    const target = await startTarget((req, res) => {
      const { 'x-key': key, 'mcp-session-id': session } = req.headers;
      if (session === undefined) res.writeHead(200, { 'mcp-session-id': 'session-1234' }).end('{}');
      else res.writeHead(403, { 'www-authenticate': `Bearer realm="${key} of ${session}"` }).end();
    });
    const remote = await serveRemote(target.url, { requestHeaders: ['x-key'] });
    const ada = await open(remote.url, { ...remote.bearer('ada'), 'x-key': 'client-key' });
    expect((await post(remote.url, call(1, 'x'), ada)).status).toBe(502);
    expect(remote.lines.at(-1)).toMatch(/credentials sent: none; WWW-Authenticate: Bearer realm="… of …"$/);
  });

  test('cuts a long challenge, and escapes what cannot be printed', async () => {
    const { line } = await lineFor(401, { 'www-authenticate': `Bearer realm="\u0085${'x'.repeat(5_000)}"` });
    expect(line).toMatch(/WWW-Authenticate: Bearer realm="\\u0085x{200,300}…$/);
  });
});

describe('the log line of target_redirected', () => {
  test.each([
    ['https://other.example/mcp/?key=secret#part', 'Location: https://other.example/mcp/'],
    ['https://ada:secret@other.example/mcp', 'Location: https://other.example/mcp'],
    ['//other.example/mcp', 'Location: http://other.example/mcp'],
    ['http://[', 'a Location that is not a URL'],
  ])('says where it leads: %s', async (location, expected) => {
    const { line, body } = await lineFor(307, { location });
    expect(line).toBe(expected);
    expect(body).not.toContain('other.example');
  });

  test('resolves a path against the URL of the target', async () => {
    const { line } = await lineFor(307, { location: '/mcp/?a=b' });
    expect(line).toMatch(/^Location: http:\/\/127\.0\.0\.1:\d+\/mcp\/$/);
  });

  test('says so if there is none, and cuts a long one', async () => {
    expect((await lineFor(304, {})).line).toBe('no Location');
    expect((await lineFor(301, { location: `/${'x'.repeat(5_000)}` })).line).toMatch(/^Location: http.{290,300}…$/);
  });
});

describe('a target that answers 404', () => {
  const warnings = (lines: readonly string[]) => lines.filter((line) => line.includes('answers 404'));

  test('to requests without a session: one warning, without the query, and the client gets the 404', async () => {
    const target = await answering(404);
    const remote = await serveRemote(`${target.url}?key=secret`);
    for (let i = 0; i < 2; i++) expect((await post(remote.url, initialize(), remote.bearer('ada'))).status).toBe(404);
    expect(warnings(remote.lines)).toEqual([
      `warn mcpHttpBackend(): ${target.url}: the MCP server answers 404 to a request without a session: the path of its URL may be wrong, for example without "/mcp" at its end`,
    ]);
  });

  test('to a request of a session: none, because the session has ended', async () => {
    let count = 0;
    const target = await startRecordingTarget((_arrived, res) => {
      const isFirst = ++count === 1;
      res.writeHead(isFirst ? 200 : 404, { 'content-type': 'application/json', 'mcp-session-id': 'one' }).end('{}');
    });
    const remote = await serveRemote(target.url);
    await post(remote.url, initialize(), remote.bearer('ada'));
    const session = { ...remote.bearer('ada'), 'mcp-session-id': 'one' };
    expect((await post(remote.url, call(1, 'x'), session)).status).toBe(404);
    expect(warnings(remote.lines)).toEqual([]);
  });
});
