import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statelessHeaders, statelessRequest } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
beforeAll(async () => {
  served = await serve({ env: { STATELESS: '1' } });
});
afterAll(() => served.stop());

const JSON_TYPE = 'application/json';
const STREAM = 'text/event-stream';

/** Sends a request without fetch(), which would add an Accept header. */
function ask(method: 'GET' | 'POST', headers: Record<string, string>, body?: object): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = request(served.url, { method, headers: { 'content-type': JSON_TYPE, ...headers } });
    sent.on('error', reject).on('response', (response) => {
      resolve([response.statusCode as number, response.headers['content-type'] as string]);
      response.destroy();
    });
    sent.end(body && JSON.stringify(body));
  });
}

const forms: [what: string, accept: string | undefined, answer: string | 406][] = [
  ['what SDK clients send', 'application/json, text/event-stream', JSON_TYPE],
  ['the same the other way round', 'text/event-stream, application/json', JSON_TYPE],
  ['without a space', 'application/json,text/event-stream', JSON_TYPE],
  ['what curl sends', '*/*', JSON_TYPE],
  ['what browsers send', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', JSON_TYPE],
  ['what Java clients send', 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2', JSON_TYPE],
  ['no header', undefined, JSON_TYPE],
  ['JSON alone', 'application/json', JSON_TYPE],
  ['JSON in UTF-8', 'application/json; charset=UTF-8', JSON_TYPE],
  ['JSON in UTF-8, quoted', 'application/json;charset="utf-8"', JSON_TYPE],
  ['capitals', 'Application/JSON', JSON_TYPE],
  ['any application type', 'application/*', JSON_TYPE],
  ['the stream alone', 'text/event-stream', STREAM],
  ['any text', 'text/*', STREAM],
  ['the stream, in capitals', 'TEXT/EVENT-STREAM', STREAM],
  ['no JSON', 'application/json;q=0, text/event-stream', STREAM],
  ['anything but JSON', '*/*, application/json;q=0', STREAM],
  ['anything but application types', 'application/*;Q=0.000, */*;q=0.1', STREAM],
  ['no JSON, by a quoted zero', 'application/json;q="0", text/event-stream', STREAM],
  ['a comma within quotes', 'text/event-stream;a="b, application/json", text/event-stream', STREAM],
  ['neither', 'application/json;q=0, text/event-stream;q=0', 406],
  ['nothing', '*/*;q=0', 406],
  ['JSON of another kind', 'application/json-seq', 406],
  ['JSON as the end of a word', 'x-application/json', 406],
  ['JSON as a value', 'text/html;a="application/json"', 406],
  ['JSON in UTF-16', 'application/json;charset=utf-16', 406],
  ['a page', 'text/html', 406],
  ['an empty header', '', 406],
  ['no media ranges', ', ;;, json', 406],
  ['a weight that is none', 'application/json;q=high', 406],
];

describe('a POST is answered in a form that its Accept header accepts', () => {
  test.each(forms)('%s', async (_what, accept, answer) => {
    const message = statelessRequest(1, 'server/discover');
    const headers = { ...statelessHeaders(message), ...(accept !== undefined && { accept }) };
    const answered = await ask('POST', headers as Record<string, string>, message);
    expect(answered).toEqual(answer === 406 ? [406, JSON_TYPE] : [200, answer]);
  });
});

describe('a GET must accept an event stream', () => {
  test.each<[accept: string, status: number]>([
    ['text/event-stream', 200],
    ['text/*;q=0.5', 200],
    ['application/json', 406],
    ['text/event-stream;q=0, */*', 406],
  ])('%s', async (accept, status) => {
    const sessionBridge = await serve({});
    const opened = await fetch(sessionBridge.url, {
      method: 'POST',
      headers: { 'content-type': JSON_TYPE },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } },
      }),
    });
    const session = opened.headers.get('mcp-session-id') as string;
    const answer = await fetch(sessionBridge.url, { headers: { 'mcp-session-id': session, accept } });
    expect(answer.status).toBe(status);
    await answer.body?.cancel();
    await sessionBridge.stop();
  });
});
