import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from './loopback-server.js';
import { type Program, startNode, startProgram } from './program.js';
import { EVERYTHING } from './stdio-bridge.js';
import { until } from './until.js';

/** Python takes its time where other tests run. */
const MAX_START_MS = 60_000;

/** An MCP server in a process of its own. `endPrograms()` ends it. */
export interface RemoteServer {
  readonly url: string;
  readonly program: Program;
}

/** server-everything, made with SDK v1: with sessions and an event store. At the port `at` if it is given, to start it again. */
export function startEverything(at?: number): Promise<RemoteServer> {
  return startServer((port) => startNode([EVERYTHING, 'streamableHttp'], { env: { PORT: String(port) } }), at);
}

/** A program that listens at the port in `PORT`, or in its arguments, which a function then makes. */
export function startRemote(
  command: string,
  args: readonly string[] | ((port: number) => readonly string[]),
  env: Readonly<Record<string, string>> = {},
): Promise<RemoteServer> {
  return startServer((port) =>
    startProgram(command, typeof args === 'function' ? args(port) : args, { env: { PORT: String(port), ...env } }),
  );
}

/** Passes connections on to a server, and keeps every byte that goes to it. */
export async function recordBytes(server: string): Promise<{ readonly url: string; readonly bytes: () => string }> {
  const { port: serverPort, pathname } = new URL(server);
  const kept: Buffer[] = [];
  const relay = createServer((incoming) => {
    const outgoing = connect(Number(serverPort), '127.0.0.1');
    incoming.on('data', (chunk) => kept.push(chunk));
    incoming.pipe(outgoing).pipe(incoming);
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void relay.close());
  return { url: `http://127.0.0.1:${port}${pathname}`, bytes: () => Buffer.concat(kept).toString('latin1') };
}

async function startServer(start: (port: number) => Program, at?: number): Promise<RemoteServer> {
  const port = at ?? (await freePort());
  const program = start(port);
  const url = `http://127.0.0.1:${port}/mcp`;
  await until(() => answers(url), MAX_START_MS);
  return { url, program };
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { method: 'HEAD' });
    return true;
  } catch {
    // It does not listen yet.
    return false;
  }
}
