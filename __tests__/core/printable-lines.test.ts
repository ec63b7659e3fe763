import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createJsonReport, createTextReport } from '../../src/doctor/report.js';
import { answerFailure } from '../../src/gateway/gateway.js';
import { type Logger, mcpStdioBackend } from '../../src/index.js';
import { serve } from '../support/loopback-server.js';
import { postJson, REDIRECT_URI } from '../support/oauth-proxy-client.js';
import { startOAuthProxyFlow } from '../support/oauth-proxy-flow.js';
import { claims, createProtectedApp } from '../support/protected-app.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { callTool, createScopedApp } from '../support/scoped-app.js';
import { createSigner } from '../support/signer.js';
import { NODE } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

const HIDDEN = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter((character) =>
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character),
);
/** A few in each text, so that none is cut off. */
const CHUNKS = Array.from({ length: Math.ceil(HIDDEN.length / 20) }, (_, i) =>
  HIDDEN.slice(i * 20, i * 20 + 20).join(''),
);

const signer = createSigner();

/** Makes the package write texts of another party: into the logger's lines, and into the lines that are returned. */
type Writer = (logger: Logger, lines: readonly string[]) => Promise<readonly string[]>;

/** Calls `write` for each text. */
const forEach = (write: (text: string, logger: Logger) => Promise<readonly string[] | undefined>): Writer => {
  return async (logger) => {
    const written: string[] = [];
    for (const text of CHUNKS) written.push(...((await write(text, logger)) ?? []));
    return written;
  };
};

const inToken = (name: 'kid' | 'iss' | 'sub'): Writer =>
  forEach(async (text, logger) => {
    const { send } = createProtectedApp({ logger }, signer);
    const token = name === 'kid' ? signer.sign(claims(), { kid: text }) : signer.sign(claims({ exp: 1, [name]: text }));
    expect((await send(token)).status).toBe(401);
    return undefined;
  });

const WRITERS: readonly [line: string, write: Writer][] = [
  ['the decision log, of a kid', inToken('kid')],
  ['the decision log, of an iss', inToken('iss')],
  ['the decision log, of a sub', inToken('sub')],
  [
    'the advice on audiences',
    forEach(async (text, logger) => {
      const options = { logger, provider: { keycloak: {} }, oauthProxy: false };
      await createProtectedApp(options, signer).send(signer.sign(claims({ aud: text, azp: text })));
      return undefined;
    }),
  ],
  [
    'a rule that throws',
    forEach(async (text, logger) => {
      const rule = () => {
        throw new Error(text);
      };
      await createScopedApp({ 'tools/call': rule }, { options: { logger } }).post(callTool('echo'));
      return undefined;
    }),
  ],
  [
    'a call that mcpScopes() refuses, and its answer',
    forEach(async (text, logger) => {
      // A name with control characters is refused earlier.
      const { post } = createScopedApp({ 'tools/call': ['admin'] }, { options: { logger } });
      const { status, body, headers } = await post(callTool(`x${text.replace(/\p{Cc}/gu, '')}`));
      expect(status).toBe(403);
      return [body.error_description, headers['www-authenticate'] ?? ''];
    }),
  ],
  [
    'a key that cannot be used',
    forEach(async (text, logger) => {
      const keys = [{ ...createSigner({ kid: text }).jwk, use: 'x' }, signer.jwk];
      await createProtectedApp({ jwks: { keys }, logger }, signer).send(signer.sign(claims()));
      return undefined;
    }),
  ],
  [
    'what a child writes to stderr',
    async (logger, lines) => {
      const text = CHUNKS.map((chunk) => `${chunk.replace('\n', '')}.\n`).join('');
      await initialize({ command: NODE, args: ['-e', `process.stderr.write(${JSON.stringify(text)})`], logger });
      await until(() => lines.filter((line) => line.includes(': ')).length >= CHUNKS.length);
      return [];
    },
  ],
  [
    'a child that does not start',
    forEach(async (text, logger) => {
      await initialize({ command: `/missing/${text.replaceAll('\0', '')}`, logger });
      return undefined;
    }),
  ],
  [
    'what a server behind the OAuth proxy refuses',
    async (logger) => {
      const { base, upstream } = await startOAuthProxyFlow('keycloak', 'keycloak', { logger });
      let text = '';
      upstream.override('/realms/mcp/clients-registrations/openid-connect', (res: ServerResponse) => {
        const refusal = JSON.stringify({ error: `x${text}`, error_description: text });
        res.writeHead(400, { 'content-type': 'application/json' }).end(refusal);
      });
      const written: string[] = [];
      for (text of CHUNKS) {
        const { body } = await postJson(`${base}/client-registration`, { redirect_uris: [REDIRECT_URI] });
        written.push(body.error as string, body.error_description as string);
      }
      return written;
    },
  ],
  [
    'a report of the doctor',
    forEach(async (text) => {
      const written: string[] = [];
      const screen = { isTerminal: false, hasColours: false, write: (more: string) => void written.push(more) };
      const report = createTextReport(screen);
      report.begin(`http://a.example/${text}`);
      report.add({ step: text, status: 'fault', seen: text, affects: text, fix: text });
      report.end();
      return written.map((line) => line.replace(/\n$/, ''));
    }),
  ],
  [
    'a report of the doctor for machines, which says the same',
    forEach(async (text) => {
      let written = '';
      const report = createJsonReport({ isTerminal: false, hasColours: false, write: (more) => (written += more) });
      report.begin(`http://a.example/${text}`);
      report.add({ step: text, status: 'fault', seen: text, affects: text, fix: text });
      report.end();
      expect(JSON.parse(written).servers[0].findings[0].seen).toBe(text);
      return written.split('\n');
    }),
  ],
];

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** Opens a session with a backend. */
async function initialize(options: Parameters<typeof mcpStdioBackend>[0]): Promise<void> {
  const backend = mcpStdioBackend(options);
  open.push(() => backend.close());
  const origin = await serve((req, res) => backend(req, res, () => res.end()));
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
  const response = await fetch(origin, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  });
  await response.text();
}

test.each(WRITERS)('there is no invisible character in %s', async (_what, write) => {
  const { lines, logger } = createRecordingLogger();
  const written = [...(await write(logger, lines)), ...lines];
  expect(written.length).toBeGreaterThan(0);
  expect(written.filter((line) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line))).toEqual([]);
});

test('only the command writes to the console, and not to a logger', () => {
  const source = new URL('../../src/', import.meta.url);
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const writing = files.filter((file) =>
    /^(?! \*|.*\bexample: ').*(?:\bconsole\.\w+\(|(?<!#)\bprocess\.(?:stdout|stderr)\b)/m.test(
      readFileSync(new URL(file, source), 'utf8'),
    ),
  );
  expect(writing).toEqual(['gateway/cli.ts']);
});

describe('a log line is limited in length', () => {
  test.each<[what: string, maxLength: number, send: (logger: Logger) => Promise<unknown>]>([
    [
      'the path of a request that fails in the gateway',
      500,
      async (logger) => {
        const failing = await serve((req, res) => answerFailure(logger, new Error('broken'), req, res));
        await fetch(`${failing}/${'a'.repeat(10_000)}`);
      },
    ],
    ['a path', 500, (logger) => createProtectedApp({ logger }, signer).get(undefined, `/${'a'.repeat(10_000)}`)],
    [
      'a kid',
      600,
      (logger) => createProtectedApp({ logger }, signer).send(signer.sign(claims(), { kid: 'k'.repeat(9_000) })),
    ],
    [
      'the kid of a key',
      600,
      (logger) => {
        const keys = [{ ...createSigner({ kid: 'k'.repeat(9_000) }).jwk, use: 'x' }, signer.jwk];
        return createProtectedApp({ jwks: { keys }, logger }, signer).send(signer.sign(claims()));
      },
    ],
    [
      'the error that a function throws',
      4_200,
      (logger) => {
        const rule = () => {
          throw new Error('e'.repeat(100_000));
        };
        return createScopedApp({ 'tools/call': rule }, { options: { logger } }).post(callTool('echo'));
      },
    ],
  ])('%s', async (_what, maxLength, send) => {
    const { lines, logger } = createRecordingLogger();
    await send(logger);
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line.length).toBeLessThan(maxLength);
  });
});
