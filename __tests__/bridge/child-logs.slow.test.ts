import { describe, expect, onTestFinished, test } from 'vitest';
import type { McpStdioBackendOptions } from '../../src/index.js';
import { call, callText, initialize, listen, open, post } from '../support/mcp-requests.js';
import { createRecordingLogger } from '../support/recording-logger.js';
import { serve } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

async function serveLogged(options: Partial<McpStdioBackendOptions> = {}) {
  const { lines, logger } = createRecordingLogger();
  const served = await serve({ logger, ...options });
  onTestFinished(() => served.stop());
  /** Resolves to the lines that match, without the ids of processes, when there are as many as `count`. */
  const linesWith = async (pattern: RegExp, count: number) => {
    const found = () =>
      lines.filter((line) => pattern.test(line)).map((line) => line.replace(/child \d+/g, 'child PID'));
    await until(() => found().length >= count);
    return found();
  };
  const lineWith = (pattern: RegExp) => linesWith(pattern, 1);
  return { ...served, lines, lineWith, linesWith };
}

const OPEN_AGAIN = 'the requests in flight failed, and clients open new sessions';
const BY_HAND = 'it sent no MCP message. Start its command by hand to see why';
const LISTED = 'it gets only listed environment variables: set others in env, or name them in inheritEnv';
const MEMORY =
  'Linux kills programs when memory is short, and its log says so: lower maxSessions, or give the machine more memory';

describe('one warning says how a child ended that the bridge did not stop, and what to do', () => {
  test('if it is killed with SIGKILL', async () => {
    const { url, lineWith } = await serveLogged();
    process.kill(Number(await callText(url, await open(url), 'pid')), 'SIGKILL');
    expect(await lineWith(/ended/)).toEqual([
      `warn child PID ended by itself (signal SIGKILL): ${MEMORY}. It printed nothing on stderr`,
    ]);
  });

  test('if it exits while a call is in flight', async () => {
    const { url, lineWith } = await serveLogged();
    await post(url, call(1, 'crash'), await open(url));
    expect(await lineWith(/ended/)).toEqual([
      `warn child PID ended by itself (code 3): ${OPEN_AGAIN}. It printed nothing on stderr`,
    ]);
  });

  test('if it ends at once: with its last lines on stderr, bounded and printable', async () => {
    const said =
      'for (let i = 1; i < 9; i++) console.error("no key " + i); console.error("\\u001b[2J" + "x".repeat(9_000))';
    const { url, lineWith, lines } = await serveLogged({ args: ['-e', `${said}; process.exitCode = 7`] });
    expect((await post(url, initialize())).status).toBe(502);
    const tail = `no key 5 | no key 6 | no key 7 | no key 8 | \\u001b[2J${'x'.repeat(291)}…`;
    expect(await lineWith(/ended/)).toEqual([
      `warn child PID ended by itself (code 7): ${BY_HAND}; ${LISTED}. Its last lines on stderr: ${tail}`,
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(4_200);
  });

  test('if it ends at once although it gets every environment variable', async () => {
    const { url, lineWith } = await serveLogged({ args: ['-e', 'process.exit(7)'], inheritEnv: true });
    expect((await post(url, initialize())).status).toBe(502);
    expect(await lineWith(/ended/)).toEqual([
      `warn child PID ended by itself (code 7): ${BY_HAND}. It printed nothing on stderr`,
    ]);
  });

  test('if it closes its output and lives on', async () => {
    const { url, lineWith } = await serveLogged({ env: { STUBBORN: '1' } });
    await post(url, call(1, 'mute'), await open(url));
    expect(await lineWith(/closed/)).toEqual([
      `warn child PID closed its standard output and was stopped (signal SIGKILL): ${OPEN_AGAIN}. It printed nothing on stderr`,
    ]);
  });

  test('and none is about a child that the bridge stops', async () => {
    const { url, lineWith, lines, backend } = await serveLogged();
    await fetch(url, { method: 'DELETE', headers: await open(url) });
    await lineWith(/^debug child \d+ exited with 0$/);
    await open(url);
    await backend.close();
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([]);
  });
});

describe('what a child prints on stderr is logged at 100 lines a second, and then how many lines were dropped', () => {
  test.each([
    ['it goes on without a further line', 'process.stdin.resume()'],
    ['it ends', ''],
  ])('if %s', async (_what, end) => {
    // In one piece, so that all of it is in one second.
    const whole = `console.error(Array.from({ length: 300 }, (_, i) => "trace " + i).join("\\n")); ${end}`;
    const { url, lines, lineWith } = await serveLogged({ args: ['-e', whole] });
    void post(url, initialize()).catch(() => undefined);
    const [line = ''] = await lineWith(/were dropped/);
    const dropped = Number(/^warn child PID: (\d+) more lines on stderr were dropped$/.exec(line)?.[1]);
    expect(dropped + lines.filter((each) => each.includes(': trace ')).length).toBe(300);
  });
});

describe('what a child prints in place of messages', () => {
  test('is quoted while it can repeat nothing of a call: at most 5 lines, and 200 characters of each', async () => {
    const greeting = `Notes\\u001b[2J ready ${'x'.repeat(500)}`;
    const program = `for (let i = 0; i < 20; i++) console.log("${greeting}"); process.stdin.resume()`;
    const { url, linesWith } = await serveLogged({ args: ['-e', program] });
    void post(url, initialize()).catch(() => undefined);
    const [first, ...others] = await linesWith(/is not an MCP message/, 5);
    expect(first).toBe(
      `warn child PID: a line of 516 bytes on stdout is not an MCP message: not JSON: "Notes\\u001b[2J ready ${'x'.repeat(184)}…"`,
    );
    expect(others).toHaveLength(4);
    expect(others[3]).toMatch(/; further lines are not logged$/);
  });

  test('is not quoted once a call was written to it', async () => {
    const { url, lineWith } = await serveLogged();
    await callText(url, await open(url), 'print', { line: 'argument: hunter2\n', answer: true });
    expect(await lineWith(/is not an MCP message/)).toEqual([
      'warn child PID: a line of 17 bytes on stdout is not an MCP message: not JSON',
    ]);
  });
});

describe('a child that does not answer', () => {
  test('initialize', async () => {
    const { url, lineWith } = await serveLogged({ startTimeoutSeconds: 1, env: { MUTE_AT_START: '1' } });
    expect((await post(url, initialize())).status).toBe(504);
    const [line] = await lineWith(/^error/);
    expect(line).toContain('did not start within 1 s (startTimeoutSeconds)');
    expect(line).toMatch(/Start its command by hand to see why, or raise startTimeoutSeconds if it needs longer$/);
  });

  test.each([
    ['a session', true],
    ['no session', false],
  ])('a call with %s', async (_case, sessions) => {
    const { url, lineWith } = await serveLogged({ requestTimeoutSeconds: 4, sessions });
    const session = sessions ? await open(url) : {};
    await Promise.all([1, 2].map((id) => post(url, call(id, 'hang'), session)));
    expect(await lineWith(/request_timed_out/)).toEqual([
      'warn mcpStdioBackend(): answered 504 (request_timed_out): The MCP server did not answer in time ' +
        '(requestTimeoutSeconds): look at the log of the MCP server, or raise requestTimeoutSeconds if it needs longer',
    ]);
  });
});

test('a message over the limit is logged with the option', async () => {
  const { url, lineWith } = await serveLogged({ maxMessageBytes: 10_000 });
  await post(url, call(1, 'big', { bytes: 20_000 }), await open(url));
  expect(await lineWith(/maxMessageBytes/)).toEqual([
    'warn child PID: a message is longer than 10000 bytes: raise maxMessageBytes if it must be so long',
  ]);
});

test('a full cap is logged with its option, and with what to do', async () => {
  const { url, lineWith } = await serveLogged({ maxSessions: 1 });
  await listen(url, await open(url));
  for (let i = 0; i < 3; i++) expect((await post(url, initialize())).status).toBe(503);
  expect(await lineWith(/503/)).toEqual([
    'warn mcpStdioBackend(): answered 503 (too_many_sessions): Too many sessions are open (maxSessions), ' +
      'and clients use all of them: raise maxSessions if this machine can run more, or lower idleTimeoutSeconds',
  ]);
});
