import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { checkBackend, Readiness } from '../../src/admin/readiness.js';
import { type McpBackendOptions, mcpBackend } from '../../src/index.js';
import { listen, originOf, stop } from '../support/loopback-server.js';
import { createRecordingLogger } from '../support/recording-logger.js';

/** The readiness of a backend with these targets and one remote target that fails, and the requests that this one gets. */
async function startCheck(targets: McpBackendOptions['targets']) {
  const methods: (string | undefined)[] = [];
  const failing = createServer(({ method }, res) => {
    methods.push(method);
    res.writeHead(500).end();
  });
  await listen(failing);
  onTestFinished(() => stop(failing));
  const remote = { url: `${originOf(failing)}/mcp?key=secret` };
  const backend = mcpBackend({ targets: { ...targets, remote } });
  onTestFinished(() => backend.close());
  return { check: checkBackend('mcp', backend), methods };
}

const FAILED = 'it answered with status 500';

test.each<[string, McpBackendOptions['targets'], names: string, reason: string]>([
  ['alone', {}, 'remote', FAILED],
  ['beside one that is ready', { node: { command: 'node' } }, 'remote', FAILED],
  [
    'beside a program that is not there',
    { program: { command: 'no-such-program' } },
    'program, remote',
    `program: its program is not there; remote: ${FAILED}`,
  ],
])(
  'a remote target that fails is asked once, and the log alone has the reason: %s',
  async (_how, targets, names, reason) => {
    const { check, methods } = await startCheck(targets);
    const text = `the target ${names} is not there, or cannot be reached`;
    expect(await check.problem()).toEqual({ text, reason });
    expect(methods).toEqual(['OPTIONS']);
    const { lines, logger } = createRecordingLogger();
    const readiness = new Readiness(() => [check], logger);
    await expect.poll(() => readiness.problems()).toEqual([`mcp: ${text}`]);
    expect(lines).toEqual([`warn Not ready: mcp: ${text} (${reason})`]);
  },
);
