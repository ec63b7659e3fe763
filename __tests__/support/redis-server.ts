import { onTestFinished } from 'vitest';
import { freePort } from './loopback-server.js';
import { type Program, startProgram } from './program.js';

/** A real redis-server on a loopback port, which keeps nothing on disk. */
export interface RedisServer {
  readonly port: number;
  readonly program: Program;
}

/** Resolves once the server takes connections. It ends with the test. */
export async function startRedis(port?: number, more: readonly string[] = []): Promise<RedisServer> {
  const chosen = port ?? (await freePort());
  const arguments_ = ['--port', String(chosen), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...more];
  const program = startProgram('redis-server', arguments_, { cwd: '/tmp' });
  onTestFinished(async () => void (await program.stop('SIGKILL')));
  await program.says(/Ready to accept connections/);
  return { port: chosen, program };
}
