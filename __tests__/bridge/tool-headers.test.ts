import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postStateless, statelessCall } from '../support/mcp-requests.js';
import { type Served, serve } from '../support/stdio-bridge.js';

let served: Served;
beforeAll(async () => {
  served = await serve({ env: { STATELESS: '1' } });
});
afterAll(() => served.stop());

const base64 = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

describe('parameters that a tool expects in headers too', () => {
  const cases: [string, object, Record<string, string>, 200 | 400][] = [
    ['none given, none sent', {}, {}, 200],
    ['one that needs no header', { plain: 'x' }, {}, 200],
    ['text', { region: 'eu' }, { 'mcp-param-region': 'eu' }, 200],
    ['other text', { region: 'eu' }, { 'mcp-param-region': 'us' }, 400],
    ['text in other capitals', { region: 'eu' }, { 'mcp-param-region': 'EU' }, 400],
    ['no header', { region: 'eu' }, {}, 400],
    ['a header only', {}, { 'mcp-param-region': 'eu' }, 400],
    ['null', { region: null }, {}, 200],
    ['null with a header', { region: null }, { 'mcp-param-region': 'null' }, 400],
    ['text in Base64', { region: 'Zürich' }, { 'mcp-param-region': base64('Zürich') }, 200],
    ['text that looks like Base64', { region: base64('x') }, { 'mcp-param-region': base64(base64('x')) }, 200],
    ['text that looks like Base64, sent as it is', { region: base64('x') }, { 'mcp-param-region': base64('x') }, 400],
    ['broken Base64', { region: 'x' }, { 'mcp-param-region': '=?base64?eA?=' }, 400],
    ['characters that are not Base64', { region: 'x' }, { 'mcp-param-region': '=?base64?e$A==?=' }, 400],
    ['a number', { count: 42 }, { 'mcp-param-count': '42' }, 200],
    ['the same number', { count: 42 }, { 'mcp-param-count': '42.0' }, 200],
    ['another number', { count: 42 }, { 'mcp-param-count': '43' }, 400],
    ['the same number in hexadecimal', { count: 42 }, { 'mcp-param-count': '0x2a' }, 400],
    ['a number and a no-break space', { count: 42 }, { 'mcp-param-count': base64('42\u00a0') }, 400],
    ['zero and nothing', { count: 0 }, { 'mcp-param-count': '' }, 400],
    ['true', { sure: true }, { 'mcp-param-sure': 'true' }, 200],
    ['another boolean', { sure: false }, { 'mcp-param-sure': 'true' }, 400],
    ['something deeper', { deep: { er: 'x' } }, { 'mcp-param-deep': 'x' }, 200],
    ['something else deeper', { deep: { er: 'x' } }, { 'mcp-param-deep': 'y' }, 400],
    ['a header that no tool knows', {}, { 'mcp-param-unknown': 'x' }, 200],
  ];
  test.each(cases)('%s', async (_name, args, headers, status) => {
    const response = await postStateless(served.url, statelessCall(1, 'mirrored', args), headers);
    const { error } = (await response.json()) as { error?: { code: number } };
    expect([response.status, error?.code]).toEqual([status, status === 400 ? -32020 : undefined]);
  });

  test('are ignored for other tools', async () => {
    const response = await postStateless(served.url, statelessCall(1, 'echo', { region: 'eu' }));
    expect(response.status).toBe(200);
  });
});
