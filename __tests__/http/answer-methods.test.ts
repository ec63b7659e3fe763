import { readdirSync, readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { expect, onTestFinished, test } from 'vitest';
import { mcpStdioBackend } from '../../src/index.js';
import { eventsOf } from '../support/mcp-answers.js';
import { call, open, post, statelessHeaders, statelessRequest } from '../support/mcp-requests.js';
import { ADA } from '../support/recorded-calls.js';
import { returnNothing } from '../support/return-nothing.js';
import { NODE, SCRIPTED, serveBackend } from '../support/stdio-bridge.js';
import { BACKENDS } from '../support/throwing-functions.js';

/** Methods that only responses have, and methods of a response that Node's own returns for a further call. */
const CALLS =
  /\.(?:writeHead|writeHeader|setHeaders?|appendHeader|removeHeader|flushHeaders|addTrailers|write)\(|\b(?:res|response)\.(?:on|once|off|end|status|set|type|setTimeout|destroy)\(/g;

/** Returns the place behind the parenthesis that closes the one before `start`. */
function endOfCall(text: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; depth > 0 && at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    if (text[at] === ')') depth -= 1;
  }
  return at;
}

const chainedIn = (text: string) =>
  [...text.matchAll(CALLS)]
    .filter(({ 0: { length }, index }) => /^\s*[?!]?\./.test(text.slice(endOfCall(text, index + length))))
    .map(({ index }) =>
      text
        .slice(text.lastIndexOf('\n', index) + 1)
        .split('\n')[0]
        ?.trim(),
    );

test.each([
  ['  res.writeHead(202).end();', true],
  ['  this.#res.writeHead(200, { length: f(1) })\n    .end();', true],
  ["  res.on('drain', a).on('finish', b);", true],
  ['  res.writeHead(202);\n  res.end();', false],
])('the next test sees whether a call is chained: %s', (text, isChained) => {
  expect(chainedIn(text).length > 0).toBe(isChained);
});

test('no call is chained onto a method of a response, which a function of the application may have replaced', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const chained = files.flatMap((file) => {
    return chainedIn(readFileSync(`src/${file}`, 'utf8')).map((line) => `${file}: ${line}`);
  });
  expect(chained).toEqual([]);
});

/** Serves a backend behind methods of the response that return nothing. */
async function serveSilenced(backend: Parameters<typeof serveBackend>[0]): Promise<string> {
  const { url, stop } = await serveBackend(backend, 'Express 5', [returnNothing]);
  onTestFinished(stop);
  return url;
}

test.each<[backend: keyof typeof BACKENDS, tools: readonly string[]]>([
  ['mcpStdioBackend()', ['echo', 'progress']],
  ['mcpBackend() with programs', ['one_echo', 'two_progress']],
  ['mcpBackend() with a server', ['echo', 'chunked', 'progress']],
  ['mcpHttpBackend()', ['echo', 'chunked', 'progress']],
])('an SDK client works behind methods that return nothing: %s', async (backend, tools) => {
  const url = await serveSilenced(await BACKENDS[backend]({}));
  const client = new Client({ name: 'test', version: '1' });
  const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: ADA } });
  await client.connect(transport as never);
  const onprogress = () => undefined;
  for (const name of tools) await client.callTool({ name, arguments: { steps: 2 } }, undefined, { onprogress });
  await transport.terminateSession();
  await client.close();
});

const CHANGED = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' };

test.each<[what: string, sessions: boolean, send: (url: string) => Promise<Response>]>([
  ['a session', true, async (url) => post(url, CHANGED, await open(url, ADA))],
  ['no sessions', false, (url) => post(url, CHANGED, ADA)],
  [
    'the revision without sessions',
    true,
    (url) => {
      const { id: _id, ...message } = statelessRequest(0, 'notifications/cancelled', { requestId: 1 });
      return post(url, message, { ...ADA, ...statelessHeaders({ ...message, id: 0 }) });
    },
  ],
])('a notification is answered 202 behind methods that return nothing: %s', async (_what, sessions, send) => {
  const answer = await send(await serveSilenced(mcpStdioBackend({ command: NODE, args: [SCRIPTED], sessions })));
  expect([answer.status, await answer.text()]).toEqual([202, '']);
});

test('a stream that has ended is answered 204 behind methods that return nothing', async () => {
  const url = await serveSilenced(mcpStdioBackend({ command: NODE, args: [SCRIPTED] }));
  const session = await open(url, ADA);
  const ids: string[] = [];
  const answer = await post(url, call(1, 'progress', { steps: 2 }, { progressToken: 1 }), session);
  for await (const { id = '' } of eventsOf(answer)) ids.push(id);
  const headers = { ...session, accept: 'text/event-stream', 'last-event-id': String(ids.at(-1)) };
  expect((await fetch(url, { headers })).status).toBe(204);
});
