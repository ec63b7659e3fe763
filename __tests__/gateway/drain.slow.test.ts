import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayFolder, makeGatewayFolder } from '../support/gateway-folder.js';
import { reasonOf } from '../support/mcp-answers.js';
import { call, initialize, open, post } from '../support/mcp-requests.js';
import { CLI, endPrograms, type Program, startNode, startProgram } from '../support/program.js';
import { NODE, SCRIPTED } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';
import { makeWaitingCall, startWaitingTarget } from '../support/waiting-call.js';

const CLIENTS = 5;

let folder: GatewayFolder;
beforeAll(async () => {
  folder = await makeGatewayFolder();
});
afterEach(endPrograms);
afterAll(() => folder.remove());

const TARGETS = {
  'a program': async () => ({ name: 'one', stdio: { cmd: NODE, args: [SCRIPTED] } }),
  'a remote server': async () => ({ name: 'one', mcp: { host: await startWaitingTarget() } }),
};

interface Command {
  readonly program: Program;
  readonly url: string;
  /** Resolves to the status and the body of `/readyz`. */
  readyz(): Promise<[number, unknown]>;
}

async function start(target: object, { config = {}, args = [] as string[] } = {}): Promise<Command> {
  const file = await folder.write('drain.yaml', JSON.stringify({ config, mcp: { port: 0, targets: [target] } }));
  const program = startNode([
    ...[CLI, '-f', file, '--host', '127.0.0.1', '--admin', 'off', '--health', '127.0.0.1:0'],
    ...args,
  ]);
  const [, address, health] = await program.says(/Listening on (\S+)\n.*Health on (\S+)\n/);
  const readyz = async (): Promise<[number, unknown]> => {
    const response = await fetch(`${health}/readyz`);
    return [response.status, await response.json()];
  };
  return { program, url: `http://${address}/mcp`, readyz };
}

const listen = (url: string, session: Readonly<Record<string, string>>) =>
  fetch(url, { headers: { ...session, accept: 'text/event-stream' } });

const ENDING = [503, { ready: false, problems: ['the command is shutting down'] }];

describe.each(Object.entries(TARGETS))('SIGTERM while %s works', (_name, target) => {
  test('calls finish, then their streams end, and the command ends with exit code 0', async () => {
    const { program, url, readyz } = await start(await target());
    await until(async () => (await readyz())[0] === 200);
    const sessions = await Promise.all(Array.from({ length: CLIENTS }, () => open(url)));
    const streams = await Promise.all(sessions.map((session) => listen(url, session)));
    const calls = await Promise.all(sessions.map(makeWaitingCall));
    let over = 0;
    const answers = sessions.map(async (session, i) => {
      const answer = await post(url, calls[i]?.message, session);
      over++;
      return [answer.status, answer.headers.get('connection'), await reasonOf(answer)];
    });
    await until(() => calls.every((waiting) => waiting.isRunning()));
    const stopped = program.stop('SIGTERM');
    await program.says(/New sessions are refused, and calls may finish for 10 s/);
    expect(await readyz()).toEqual(ENDING);
    const refused = await post(url, initialize());
    const { headers } = refused;
    expect([refused.status, headers.get('retry-after'), headers.get('connection')]).toEqual([503, '10', 'close']);
    expect([over, await reasonOf(refused)]).toEqual([0, 'closing']);
    await Promise.all(calls.map((waiting) => waiting.release()));
    expect(await Promise.all(answers)).toEqual(Array.from({ length: CLIENTS }, () => [200, 'close', undefined]));
    await Promise.all(streams.map((stream) => stream.text()));
    expect(await stopped).toBe(0);
    expect(program.stderr).not.toContain('have not finished');
  });

  test('a call that takes longer than --drain-seconds is answered with an error, as without a drain', async () => {
    const { program, url } = await start(await target(), { args: ['--drain-seconds', '1'] });
    const session = await open(url);
    const waiting = await makeWaitingCall();
    const before = performance.now();
    const answer = post(url, waiting.message, session);
    await until(waiting.isRunning);
    const stopped = program.stop('SIGTERM');
    expect(await reasonOf(await answer)).toBe('closing');
    expect(await stopped).toBe(0);
    expect(performance.now() - before).toBeGreaterThan(1_000);
    expect(program.stderr).toContain(
      'WARN express-mcp-auth: Calls that have not finished in 1 s end now with an error',
    );
  });

  test('a second signal ends the command at once', async () => {
    const { program, url } = await start(await target());
    const session = await open(url);
    const waiting = await makeWaitingCall();
    const answer = post(url, waiting.message, session).catch(() => 'no answer');
    await until(waiting.isRunning);
    const stopped = program.stop('SIGTERM');
    await program.says(/New sessions are refused/);
    // A signal that follows within half a second is the same Ctrl-C.
    await new Promise((resolve) => setTimeout(resolve, 600));
    process.kill(program.pid, 'SIGTERM');
    expect(await stopped).toBe('SIGTERM');
    expect(await answer).toBe('no answer');
  });
});

/** A new PID namespace, as a container has one, needs root. */
const IN_CONTAINER = ['unshare', ['--pid', '--fork', '--kill-child']] as const;
const canUnshare = spawnSync(IN_CONTAINER[0], [...IN_CONTAINER[1], 'true']).status === 0;

test.runIf(canUnshare)(
  'a second signal ends the command at once as the first process of a container (needs unshare)',
  async () => {
    const target = await TARGETS['a program']();
    const file = await folder.write('container.yaml', JSON.stringify({ mcp: { port: 0, targets: [target] } }));
    const line = [NODE, CLI, '-f', file, '--host', '127.0.0.1', '--admin', 'off'];
    const program = startProgram(IN_CONTAINER[0], [...IN_CONTAINER[1], ...line]);
    const [, address] = await program.says(/Listening on (\S+)/);
    const url = `http://${address}/mcp`;
    const pid = Number(readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'latin1'));
    const session = await open(url);
    const waiting = await makeWaitingCall();
    const answer = post(url, waiting.message, session).catch(() => 'no answer');
    await until(waiting.isRunning);
    process.kill(pid, 'SIGTERM');
    await program.says(/New sessions are refused/);
    await new Promise((resolve) => setTimeout(resolve, 600));
    process.kill(pid, 'SIGTERM');
    expect(await answer).toBe('no answer');
    expect(await program.ended).toBe(143);
  },
);

test('without requests in flight, SIGTERM ends the command without a drain', async () => {
  const { program, url } = await start(await TARGETS['a program']());
  const stream = await listen(url, await open(url));
  expect(await program.stop('SIGTERM')).toBe(0);
  expect(await stream.text()).toContain('retry');
  expect(program.stdout).not.toContain('New sessions are refused');
});

test('in Kubernetes: not ready at once, and what still arrives while it looks away is answered', async () => {
  const minimum = { connectionMinTerminationDeadline: '6s' };
  const { program, url, readyz } = await start(await TARGETS['a program'](), { config: minimum });
  const session = await open(url);
  const begun = performance.now();
  const stopped = program.stop('SIGTERM');
  await until(async () => (await readyz())[0] === 503);
  // The probe has not told the load balancer yet.
  let calls = 0;
  while (performance.now() - begun < 1_500) {
    const answer = await post(url, call(++calls, 'echo'), session);
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect(await readyz()).toEqual(ENDING);
  }
  expect((await post(url, initialize())).status).toBe(503);
  expect(await stopped).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(6_000);
  expect(calls).toBeGreaterThan(3);
});
