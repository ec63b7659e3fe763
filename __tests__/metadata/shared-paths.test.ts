import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { protectedResourceMetadata } from '../../src/index.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const ROOT = '/.well-known/oauth-protected-resource';

/** An app with two resources of one origin, and its warnings. */
function createApp(resources: readonly (readonly [resource: string, url: string | undefined])[]) {
  const origin = `https://${crypto.randomUUID()}.example`;
  const { lines, logger } = createRecordingLogger();
  const app = express();
  for (const [resource, url] of resources) {
    const resourceMetadata = { resource: origin + resource, url: url && origin + url };
    app.use(
      protectedResourceMetadata({
        issuer: 'https://issuer.example',
        jwks: { url: 'https://issuer.example/jwks' },
        resourceMetadata,
        logger,
      }),
    );
  }
  return { app, origin, warnings: () => lines.filter((line) => line.startsWith('warn')) };
}

test('two resources behind a proxy that removes their prefixes: a warning names both, and the path', async () => {
  const { app, origin, warnings } = createApp([
    ['/a/mcp', `/a${ROOT}/mcp`],
    ['/b/mcp', `/b${ROOT}/mcp`],
  ]);
  const { body } = await request(app).get(`${ROOT}/mcp`);
  expect(body.resource, 'clients of the other get this one').toBe(`${origin}/a/mcp`);
  expect(warnings()).toEqual([
    `warn ${origin}/a/mcp and ${origin}/b/mcp have their metadata at one path (${ROOT}/mcp): clients of one get that of the other if one app ` +
      'serves both. Give each resource a resourceMetadata.url whose path differs after "/.well-known/"',
  ]);
});

test.each([
  [
    'paths that differ, as the warning says',
    [
      ['/a/mcp', `/a${ROOT}/a/mcp`],
      ['/b/mcp', `/b${ROOT}/b/mcp`],
    ],
  ],
  [
    'no prefixes',
    [
      ['/a', undefined],
      ['/b', undefined],
    ],
  ],
  [
    'one resource, twice',
    [
      ['/a', `/x${ROOT}/mcp`],
      ['/a', `/x${ROOT}/mcp`],
    ],
  ],
] as const)('no warning for %s', async (_what, resources) => {
  const { app, origin, warnings } = createApp(resources);
  for (const [resource, url] of resources) {
    const path = url === undefined ? ROOT + resource : url.slice(url.indexOf(ROOT));
    expect((await request(app).get(path)).body.resource).toBe(origin + resource);
  }
  expect(warnings()).toEqual([]);
});
