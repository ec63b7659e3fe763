import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LeanClient } from './lean-client.mjs';

const local = (path) => fileURLToPath(new URL(path, import.meta.url));
export const LEAN_SERVER = local('lean-server.mjs');

export const EVERYTHING = local('../../node_modules/@modelcontextprotocol/server-everything/dist/index.js');

// The gateway reads a file; JSON is YAML.
function gatewayFile(port) {
  const target = { name: 'lean', stdio: { cmd: process.execPath, args: [LEAN_SERVER] } };
  const routes = [{ matches: [{ path: { exact: '/mcp' } }], backends: [{ mcp: { targets: [target] } }] }];
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'config.yaml');
  writeFileSync(file, JSON.stringify({ binds: [{ port, listeners: [{ routes }] }] }));
  return file;
}

function commandOf(name, port, server) {
  if (name === 'gateway') return [local('../../dist/gateway/cli.js'), '-f', gatewayFile(port), '--host', '127.0.0.1'];
  const child = `${process.execPath} ${LEAN_SERVER}`;
  if (name === 'supergateway') {
    const options = ['--outputTransport', 'streamableHttp', '--stateful', '--logLevel', 'none', '--port', `${port}`];
    return [local('../node_modules/supergateway/dist/index.js'), '--stdio', child, ...options];
  }
  if (name === 'mcp-proxy') {
    const options = ['--host', '127.0.0.1', '--port', `${port}`, '--server', 'stream'];
    return [local('../node_modules/mcp-proxy/dist/bin/mcp-proxy.mjs'), ...options, process.execPath, LEAN_SERVER];
  }
  return [local('hosts.mjs'), name, `${port}`, process.execPath, server];
}
/** A bridge in a separate process. */
export class HostProcess {
  port;
  #process;
  #stderr = '';
  constructor(port, process) {
    this.port = port;
    this.#process = process;
    process.stderr?.setEncoding('latin1').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-4_096);
    });
  }
  static async start(name, server = LEAN_SERVER) {
    const port = await freePort();
    const flags = ['--expose-gc', '-r', local('memory-hook.cjs')];
    const started = spawn(process.execPath, [...flags, ...commandOf(name, port, server)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const host = new HostProcess(port, started);
    while (!(await answers(port))) {
      if (started.exitCode !== null) throw new Error(`${name} did not start: ${host.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return host;
  }
  /** CPU time used so far, in microseconds; NaN where there is no /proc. */
  cpu() {
    try {
      const fields = readFileSync(`/proc/${this.#process.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
      return (Number(fields[11]) + Number(fields[12])) * 10_000;
    } catch {
      // Not Linux: the other numbers are as good without it.
      return Number.NaN;
    }
  }
  /** Bytes in use after a full collection, and resident. */
  async memory() {
    this.#stderr = '';
    this.#process.kill('SIGUSR2');
    for (;;) {
      const [, used, resident] = /MEMORY (\d+) (\d+)/.exec(this.#stderr) ?? [];
      if (used !== undefined) return { used: Number(used), resident: Number(resident) };
      await once(this.#process.stderr, 'data');
    }
  }
  async stop() {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(timer);
  }
}
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}
function answers(port) {
  return new Promise((resolve) => {
    const client = new LeanClient(port);
    const timer = setTimeout(() => done(false), 250);
    const done = (yes) => {
      clearTimeout(timer);
      client.close();
      resolve(yes);
    };
    void client.post('{"jsonrpc":"2.0","method":"notifications/none"}').then(
      () => done(true),
      () => done(false),
    );
  });
}
