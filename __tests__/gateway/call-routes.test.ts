import { expect, test } from 'vitest';
import { scripted, serveFile } from '../support/file-gateway.js';
import { call, open, post } from '../support/mcp-requests.js';
import { subscribeToCalls } from '../support/subscribed-calls.js';

/** Serves a file with these routes, and returns the routes in the records of one call at `path`. */
async function recordedRoutes(file: object, path: string): Promise<(string | undefined)[]> {
  const records = subscribeToCalls();
  const { origin } = await serveFile(file);
  const url = `${origin}${path}`;
  await (await post(url, call(1, 'echo'), await open(url))).text();
  return records.flatMap(({ method, route, requestId }) => [method, route, requestId === undefined ? 'no id' : 'id']);
}

const backends = [{ mcp: { targets: [scripted('one')] } }];
const matches = [{ path: { pathPrefix: '/mcp' } }, { path: { exact: '/sse' } }];
const routes = (...given: readonly object[]) => ({ binds: [{ port: 0, listeners: [{ routes: given }] }] });

const ROWS: readonly [what: string, file: object, path: string, route: string][] = [
  ['the name in the file', routes({ name: 'notes', matches, backends }), '/mcp/a', 'notes'],
  ['its first path', routes({ matches, backends }), '/sse', '/mcp'],
  ['its place, without a name and a path', routes({ backends }), '/anything', 'route0'],
  ['the simple section', { mcp: { port: 0, targets: [scripted('one')] } }, '/mcp', 'default'],
];

test.each(ROWS)('records name a route by %s', async (_what, file, path, route) => {
  expect(await recordedRoutes(file, path)).toEqual(['initialize', route, 'id', 'tools/call', route, 'id']);
});
