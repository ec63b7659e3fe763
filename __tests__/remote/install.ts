import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ROOT } from '../support/program.js';

const run = promisify(execFile);

/** Below build/, which Git ignores. */
const FOLDER = `${ROOT}build/remote`;

export const PYTHON = `${FOLDER}/python/bin/python`;
export const GO_EVERYTHING = `${FOLDER}/go/everything`;

const GO_EXAMPLE = 'github.com/modelcontextprotocol/go-sdk/examples/server/everything@v1.8.0';

/** Installs, once, the MCP servers that these tests are about, in the versions that are named here and in requirements.txt. */
export async function setup(): Promise<void> {
  if (!existsSync(PYTHON)) await run('python3', ['-m', 'venv', `${FOLDER}/python`]);
  await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', `${ROOT}__tests__/remote/requirements.txt`]);
  if (!existsSync(GO_EVERYTHING)) {
    await run('go', ['install', GO_EXAMPLE], { env: { ...process.env, GOBIN: `${FOLDER}/go` } });
  }
}
