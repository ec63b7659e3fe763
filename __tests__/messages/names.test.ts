import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../src/messages/bridge-error.js';
import { parseReceivedBody as parseForScopes, readCalls } from '../../src/messages/calls-in-body.js';
import { parseMessages as parseForBridge } from '../../src/messages/json-rpc.js';
import { MessageError } from '../../src/messages/message-refusal.js';
import { initialize, post } from '../support/mcp-requests.js';
import { createScopedApp } from '../support/scoped-app.js';
import { serve } from '../support/stdio-bridge.js';

const CONTROLS = [...Array(0x100).keys()].map((code) => String.fromCharCode(code)).filter((c) => /\p{Cc}/u.test(c));

/** Messages with one name that the tests change. Without the change, no reader refuses the message as ambiguous. */
const places: [where: string, name: string, write: (name: string) => string][] = [
  ...['jsonrpc', 'id', 'method', 'params', 'result', 'error', 'extra'].map((name): (typeof places)[number] => [
    'the message',
    name,
    (spoilt) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},${spoilt}:{"name":"delete"}}`,
  ]),
  ...['name', 'uri', 'taskId', 'arguments', 'requestId', 'progressToken', '_meta', 'extra'].map(
    (name): (typeof places)[number] => [
      'params',
      name,
      (spoilt) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",${spoilt}:"delete"}}`,
    ],
  ),
  ...['progressToken', 'user', 'io.modelcontextprotocol/protocolVersion', 'traceparent'].map(
    (name): (typeof places)[number] => [
      '_meta',
      name,
      (spoilt) =>
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"user":1,${spoilt}:"root"}}}`,
    ],
  ),
  ...['tools/call', 'ping', 'notifications/cancelled', 'x'].map((name): (typeof places)[number] => [
    'method',
    name,
    (spoilt) => `{"jsonrpc":"2.0","id":1,"method":${spoilt},"params":{"name":"echo"}}`,
  ]),
];

const escaped = (text: string) =>
  `"${[...text].map((c) => (/\p{Cc}/u.test(c) ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`;
const raw = (text: string) => `"${text}"`;

/** The name with one control character at the end, at the beginning, and within: escaped, and raw where JSON allows it. */
function spoil(name: string): string[] {
  return CONTROLS.flatMap((control) => {
    const names = [name + control, control + name, `${name.slice(0, 1)}${control}${name.slice(1)}`];
    return [...names.map(escaped), ...(control > '\u001f' ? names.map(raw) : [])];
  });
}

function scopesReason(text: string): string | undefined {
  try {
    readCalls(parseForScopes(Buffer.from(text)));
    return undefined;
  } catch (error) {
    return error instanceof MessageError ? error.reason : String(error);
  }
}

function bridgeReason(text: string): string | undefined {
  try {
    parseForBridge(Buffer.from(text));
    return undefined;
  } catch (error) {
    return error instanceof BridgeError ? error.reason : String(error);
  }
}

describe('a control character in a name', () => {
  test('there are 65 of them', () => {
    expect(CONTROLS.length).toBe(65);
  });

  test.each(places)('of %s (%s) is refused by both readers', (_where, name, write) => {
    const texts = spoil(name).map(write);
    const refused = (reason: (text: string) => string | undefined) =>
      texts.filter((text) => reason(text) !== 'ambiguous_message');
    expect(refused(scopesReason)).toEqual([]);
    expect(refused(bridgeReason)).toEqual([]);
  });

  test('of a result and its _meta is refused by the bridge, which passes them to a server', () => {
    const answer = (members: string) => `{"jsonrpc":"2.0","id":1,"result":{${members}}}`;
    expect(bridgeReason(answer('"_meta":{"user":1}'))).toBeUndefined();
    for (const name of spoil('_meta')) expect(bridgeReason(answer(`${name}:{}`))).toBe('ambiguous_message');
    for (const name of spoil('user')) expect(bridgeReason(answer(`"_meta":{${name}:1}`))).toBe('ambiguous_message');
  });

  test('of a target is refused by both, the bridge too: it looks up the headers of a tool by its name', () => {
    const rows = Object.entries({ 'tools/call': 'name', 'resources/read': 'uri', 'tasks/get': 'taskId' });
    for (const [method, member] of rows) {
      const withTarget = (target: string) =>
        `{"jsonrpc":"2.0","id":1,"method":"${method}","params":{"${member}":${target}}}`;
      expect(bridgeReason(withTarget('"a b\u00e9"'))).toBeUndefined();
      for (const target of [...spoil('echo'), '"\\ud800echo"']) {
        expect(bridgeReason(withTarget(target))).toBe('ambiguous_message');
        if (member !== 'taskId') expect(scopesReason(withTarget(target))).toBe('unusable_target');
      }
    }
  });

  test('of an argument is refused by mcpScopes(), where a function may look at it', () => {
    const callWith = (name: string) =>
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"path":"/tmp",${name}:"/etc"}}}`;
    expect(scopesReason(callWith('"Path"'))).toBeUndefined();
    for (const name of spoil('path')) expect(scopesReason(callWith(name))).toBe('ambiguous_message');
  });
});

test.each(['na me', 'name\u00a0', 'n\u00e4me', 'name\u200b', '\ud83d\ude00', 'trace.parent', '', '__proto__'])(
  'the name %j, without control characters, passes both readers everywhere',
  (name) => {
    for (const [where, , write] of places) {
      if (where === 'method') continue;
      expect([scopesReason(write(JSON.stringify(name))), bridgeReason(write(JSON.stringify(name)))]).toEqual([
        undefined,
        undefined,
      ]);
    }
  },
);

/** Some reader's comparison ignores the difference from a known name. */
test.each(['\u0130d', 'I\u0307d', '\u0131d', 'ta\u017fkId', 'tas\u212aId', 'ur\u0130', 'PARAMS', '_META'])(
  'the name %j, which some parser reads as a known one, is refused by both readers',
  (name) => {
    const [envelope, params] = [places[0], places[7]] as const;
    const write = (/d$|^PARAMS/.test(name) && !/ta/.test(name) ? envelope : params)?.[2];
    const text = write?.(JSON.stringify(name)) ?? '';
    expect([scopesReason(text), bridgeReason(text)]).toEqual(['ambiguous_message', 'ambiguous_message']);
  },
);

const bypasses: [what: string, body: string][] = [
  ['method', '{"jsonrpc":"2.0","id":1,"method":"tools/call\\u0000x","params":{"name":"delete_file"}}'],
  [
    'params',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params\\u0000":{"name":"delete_file"},"params":{"name":"echo"}}',
  ],
  ['name', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name\\u0000":"delete_file","name":"echo"}}'],
  ['_meta', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta\\u0000":{"user":"root"}}}'],
  ['user', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"user\\u0000":"root"}}}'],
];

test.each(bypasses)(
  'over HTTP, %s with a NUL is answered 400 by mcpScopes() and by the bridge',
  async (_what, body) => {
    const { post: postScoped, received } = createScopedApp({ 'tools/call': { delete_file: ['files:write'] } });
    const scoped = await postScoped(body);
    expect([scoped.status, scoped.body.error.data]).toEqual([400, { reason: 'ambiguous_message' }]);
    expect(received).toEqual([]);
    const { url, stop, backend } = await serve();
    expect((await post(url, initialize())).status).toBe(200);
    const bridged = await post(url, body);
    expect([bridged.status, await bridged.json()]).toMatchObject([
      400,
      { id: 1, error: { data: { reason: 'ambiguous_message' } } },
    ]);
    expect(backend.stats().pending).toBe(0);
    await stop();
  },
);
