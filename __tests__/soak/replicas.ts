import { readdirSync, readFileSync } from 'node:fs';
import { freePort } from '../support/loopback-server.js';
import { CLI, type Program, startNode } from '../support/program.js';
import { fixture } from '../support/stdio-bridge.js';
import { until } from '../support/until.js';

/** The two commands, with what is known of each. */
export class Replicas {
  readonly ports: Readonly<Record<'a' | 'b', number>>;
  readonly #env: Readonly<Record<string, string>>;
  readonly #file: string;
  readonly #programs = new Map<string, Program>();
  /** Also those that were killed. */
  readonly #all: Program[] = [];

  private constructor(ports: Replicas['ports'], file: string, env: Readonly<Record<string, string>>) {
    this.ports = ports;
    this.#file = file;
    this.#env = env;
  }

  static async create(file: string, env: Readonly<Record<string, string>>): Promise<Replicas> {
    return new Replicas({ a: await freePort(), b: await freePort() }, file, env);
  }

  /** Everything that they have written. */
  get log(): string {
    return this.#all.map(({ stdout, stderr }) => stdout + stderr).join('');
  }

  program(name: 'a' | 'b'): Program {
    return this.#programs.get(name) as Program;
  }

  async start(name: 'a' | 'b'): Promise<void> {
    const probe = ['--import', fixture('soak-probe.mjs')];
    const arguments_ = [CLI, '-f', this.#file, '--host', '127.0.0.1', '--admin', 'off', '--replica', name];
    const env = { ...this.#env, PORT: String(this.ports[name]) };
    const program = startNode([...probe, ...arguments_], { env });
    this.#programs.set(name, program);
    this.#all.push(program);
    await program.says(/Listening on/);
  }

  /** Resolves to the bytes in use in a replica, once its garbage is collected. */
  async bytesIn(name: 'a' | 'b'): Promise<number> {
    const program = this.program(name);
    const figures = () => [...program.stdout.matchAll(/PROBE bytes in use: (\d+)/g)].map(([, bytes]) => Number(bytes));
    const before = figures().length;
    process.kill(program.pid, 'SIGUSR2');
    await until(() => figures().length > before);
    return figures().at(-1) as number;
  }
}

/** The command lines of the processes with this argument. */
export function processesWith(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLineOf)
    .filter((line) => line.includes(mark));
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It has ended.
    return '';
  }
}
