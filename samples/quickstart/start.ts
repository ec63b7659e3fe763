import { type ChildProcess, spawn } from 'node:child_process';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { showAnswers } from './answers.js';
import { writeKeysAndToken } from './development-keys.js';

const packageUrl = import.meta.resolve('express-mcp-auth/package.json');
const devIssuerPort = process.argv[3] ?? '9000';
const directory = process.argv[2] ?? fileURLToPath(new URL('samples/quickstart', packageUrl));

async function start(): Promise<void> {
  const tokenFile = await writeKeysAndToken(join(directory, 'keys'));
  const gateway = startGateway(join(directory, 'config.yaml'));
  const port = await listeningPort(gateway);
  if (port === undefined) return;
  try {
    const url = `http://localhost:${port}/mcp`;
    const answers = await showAnswers(url, relative(process.cwd(), tokenFile));
    console.log(
      `\n${answers}\n${logIn(url)}\n\nThe keys and the token are for development only. ` +
        `Ctrl-C stops the gateway, and so does \`kill ${process.pid}\`.`,
    );
  } catch (error) {
    // The user stopped the gateway with Ctrl-C: this is not a failure.
    if (gateway.killed) return;
    gateway.kill();
    throw error;
  }
}

function logIn(url: string): string {
  return `4. With a client\n\n   Point MCP Inspector, Claude Code or VS Code at ${url}: it asks you to log in, with one click.`;
}

/** The same as `npx express-mcp-auth -f config.yaml --host 127.0.0.1 --dev-issuer`. */
function startGateway(file: string): ChildProcess {
  const command = fileURLToPath(new URL('dist/gateway/cli.js', packageUrl));
  const gateway = spawn(
    process.execPath,
    [command, '-f', file, '--host', '127.0.0.1', '--dev-issuer', '--dev-issuer-port', devIssuerPort],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    },
  );
  passSignalsTo(gateway);
  gateway.on('exit', (code) => {
    process.exitCode ??= code ?? 1;
  });
  return gateway;
}

/** The gateway is detached from the terminal, so it gets a Ctrl-C only from here. npm repeats the signal; it is sent on once. */
function passSignalsTo(gateway: ChildProcess): void {
  let passedAt = Number.NEGATIVE_INFINITY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - passedAt > 500) gateway.kill(signal);
      passedAt = performance.now();
    });
  }
}

/** Prints the gateway's lines. Returns undefined if the gateway ends before it listens; its own message says why. */
async function listeningPort(gateway: ChildProcess): Promise<string | undefined> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: gateway.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => {
      console.log(line);
      const port = /Listening on .*:(\d+)$/.exec(line)?.[1];
      if (port !== undefined) resolve(port);
    });
    lines.on('close', () => resolve(undefined));
  });
}

start().catch((error: Error) => {
  console.error(`npm start: ${error.message}`);
  process.exitCode = 1;
});
