import { describe, expect, test } from 'vitest';
import { serveRemote } from '../support/http-backend.js';
import { startTarget } from '../support/recording-target.js';

const PAGE = '<!doctype html><script>fetch("/admin/api/state")</script>';
const NO_PAGE = "default-src 'none'; sandbox";
const TEXT = 'text/plain';

interface Asked {
  readonly method?: string;
  readonly status?: number;
  /** Further headers of the target. */
  readonly more?: Readonly<Record<string, string>>;
}

/** Returns the parts of an answer from which a browser learns its type. The target gives it this type. */
async function answered(type: string | string[] | undefined, { method = 'POST', status = 200, more = {} }: Asked = {}) {
  const target = await startTarget((req, res) => {
    req.resume();
    res.writeHead(status, type === undefined ? more : { 'content-type': type, ...more }).end(PAGE);
  });
  const { url } = await serveRemote(target.url, { responseHeaders: Object.keys(more) }, { policy: null });
  const init = method === 'POST' ? { body: '{}', headers: { 'content-type': 'application/json' } } : {};
  const response = await fetch(url, { method, ...init });
  const { headers } = response;
  const guards = [headers.get('x-content-type-options'), headers.get('content-security-policy')];
  return { status: response.status, type: headers.get('content-type'), guards, text: await response.text() };
}

describe('an answer of a target is no page of this server', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8" ; a=b',
    'application/problem+json',
    'application/json-rpc',
    'application/jsonrequest',
    'text/event-stream',
    'text/event-stream;charset=utf-8',
    'text/plain; charset=iso-8859-1',
    'application/json, application/json',
  ])('%s is harmless and stays', async (type) => {
    expect(await answered(type)).toEqual({ status: 200, type, guards: ['nosniff', null], text: PAGE });
  });

  test.each<[string | string[] | undefined, string | null]>([
    ['text/html; charset=utf-8', TEXT],
    ['application/xhtml+xml', TEXT],
    ['image/svg+xml', TEXT],
    ['text/xml', TEXT],
    ['text/javascript', TEXT],
    ['multipart/x-mixed-replace; boundary=x', TEXT],
    ['application/pdf', TEXT],
    ['*/*', TEXT],
    ['json', TEXT],
    ['', TEXT],
    ['application/json, text/html', TEXT],
    ['application/json; a="x, text/html; b="', TEXT],
    ['text/event-stream; a, text/html', TEXT],
    ['application/json text/html', TEXT],
    ['application/json+xml', TEXT],
    [['application/json', 'text/html'], TEXT],
    // Some clients conclude from a type that there is a body.
    [undefined, null],
  ])('%j reaches the client as text, in a sandbox', async (type, expected) => {
    expect(await answered(type)).toEqual({ status: 200, type: expected, guards: ['nosniff', NO_PAGE], text: PAGE });
  });

  const methods = ['GET', 'POST', 'DELETE'];

  test.each(methods.flatMap((method) => [202, 400, 404].map((status) => [method, status] as const)))(
    'the same to %s with status %i',
    async (method, status) => {
      const guards = ['nosniff', NO_PAGE];
      expect(await answered('text/html', { method, status })).toEqual({ status, type: TEXT, guards, text: PAGE });
    },
  );

  test.each(methods.flatMap((method) => [302, 401, 500].map((status) => [method, status] as const)))(
    'an error in place of the answer to %s with status %i is JSON',
    async (method, status) => {
      const answer = await answered('text/html', { method, status });
      expect(answer).toMatchObject({ status: 502, type: 'application/json', guards: ['nosniff', null] });
      expect(answer.text).not.toContain('script');
    },
  );

  test('responseHeaders does not let the target undo it', async () => {
    const more = { 'x-content-type-options': 'none', 'content-security-policy': 'script-src *' };
    expect(await answered('text/html', { more })).toMatchObject({ type: TEXT, guards: ['nosniff', NO_PAGE] });
    expect(await answered('application/json', { more })).toMatchObject({ guards: ['nosniff', 'script-src *'] });
  });
});
