import { afterEach, describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/gateway/config/config-file.js';
import { createGateway } from '../../src/gateway/gateway.js';
import { type Logger, mcpAuth, mcpCors, mcpStdioBackend, protectedResourceMetadata } from '../../src/index.js';
import { configText, route } from '../support/config-text.js';
import { good } from '../support/good-policy.js';
import { createRecordingLogger } from '../support/recording-logger.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

function makeBackend(options: object): void {
  const backend = mcpStdioBackend({ command: process.execPath, ...options });
  ends.push(() => backend.close());
}

function makeGateway(logger: Logger, policies: object): void {
  const gateway = createGateway(parseConfigFile(configText({ route: { policies } }), '/'), logger);
  ends.push(() => gateway.close());
}

/** The lines that are logged while something is made. */
function linesOf(make: (logger: Logger) => unknown): readonly string[] {
  const { lines, logger } = createRecordingLogger();
  make(logger);
  return lines;
}

const PERMISSIVE = 'mode is "permissive", so requests pass without a token, and with one that is not valid';
const PAGE = 'https://app.example.com';

describe('a setting that weakens security is warned of once, at construction:', () => {
  test.each<[what: string, make: (logger: Logger) => unknown, line: string]>([
    [
      'mode of mcpAuth()',
      (logger) => mcpAuth({ ...good, mode: 'permissive', logger }),
      `mcpAuth(): ${PERMISSIVE}: set mode to "strict"`,
    ],
    [
      'mode of a policy that two middlewares share',
      (logger) => {
        const policy = { ...good, mode: 'permissive', logger } as const;
        return [mcpAuth(policy), protectedResourceMetadata(policy)];
      },
      `mcpAuth(): ${PERMISSIVE}: set mode to "strict"`,
    ],
    [
      'inheritEnv',
      (logger) => makeBackend({ inheritEnv: true, logger }),
      'mcpStdioBackend(): inheritEnv is true, so the child sees every variable of this process, secrets included: list the variables that it needs',
    ],
    [
      'allowedOrigins of mcpStdioBackend()',
      (logger) => makeBackend({ allowedOrigins: [PAGE, '*'], logger }),
      'mcpStdioBackend(): allowedOrigins has "*", so web pages of every origin may send requests: list the origins of your pages in allowedOrigins',
    ],
    ...[undefined, '*', ['*'], [PAGE, '*']].map((allowedOrigins): [string, (logger: Logger) => unknown, string] => [
      `allowedOrigins ${JSON.stringify(allowedOrigins)} of mcpCors()`,
      (logger) => mcpCors({ allowedOrigins: allowedOrigins as '*', logger }),
      'mcpCors(): allowedOrigins is "*", so pages of every origin may read answers: list the origins of your pages in allowedOrigins',
    ]),
    [
      'mode in a file',
      (logger) => makeGateway(logger, { mcpAuthentication: { ...good, mode: 'permissive' } }),
      `mcpAuth(): ${PERMISSIVE}: set ${route}.policies.mcpAuthentication.mode to "strict"`,
    ],
    [
      'allowOrigins in a file',
      (logger) => makeGateway(logger, { cors: { ...CORS, allowOrigins: ['*'] }, mcpAuthentication: good }),
      `${route}.policies.cors: mcpCors(): allowOrigins is "*", so pages of every origin may read answers: list the origins of your pages in allowOrigins`,
    ],
  ])('%s', (_what, make, line) => {
    expect(linesOf(make)).toEqual([`warn ${line}`]);
  });
});

const CORS = {
  allowHeaders: ['*'],
  allowMethods: ['*'],
  exposeHeaders: ['WWW-Authenticate', 'Mcp-Session-Id', 'MCP-Protocol-Version'],
};

test.each<[what: string, make: (logger: Logger) => unknown]>([
  ['mcpAuth() as it comes', (logger) => mcpAuth({ ...good, logger })],
  ['the mode optional', (logger) => mcpAuth({ ...good, mode: 'optional', logger })],
  ['mcpStdioBackend() as it comes', (logger) => makeBackend({ logger })],
  ['variables by name', (logger) => makeBackend({ inheritEnv: ['HTTPS_PROXY'], logger })],
  ['the origin of a backend', (logger) => makeBackend({ allowedOrigins: [PAGE], logger })],
  ['the origins of pages', (logger) => mcpCors({ allowedOrigins: [PAGE, 'https://*.example.com'], logger })],
  ['no origin at all', (logger) => mcpCors({ allowedOrigins: [], logger })],
  [
    'a file with modes and origins',
    (logger) => makeGateway(logger, { cors: { ...CORS, allowOrigins: [PAGE] }, mcpAuthentication: good }),
  ],
])('%s has no warning', (_what, make) => {
  expect(linesOf(make)).toEqual([]);
});
