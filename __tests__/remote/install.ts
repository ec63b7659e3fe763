import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { ROOT } from '../support/program.js';

const run = promisify(execFile);

/** Below build/, which Git ignores. */
const FOLDER = `${ROOT}build/remote`;

export const PYTHON = `${FOLDER}/python/bin/python`;
export const GO_EVERYTHING = `${FOLDER}/go/everything`;
export const GO_DOCUMENT_CLIENT = `${FOLDER}/go/document-client`;

const PACKAGES = `${FOLDER}/npm/node_modules`;
export const INSPECTOR = `${PACKAGES}/@modelcontextprotocol/inspector/clients/launcher/build/index.js`;
export const MCP_REMOTE = `${PACKAGES}/mcp-remote/dist/proxy.js`;
/** MCP Inspector does not run on Node 20. */
export const NEWEST_NODE = `${PACKAGES}/node/bin/node`;

const GO_EXAMPLE = 'github.com/modelcontextprotocol/go-sdk/examples/server/everything@v1.8.0';
const NPM_PACKAGES = ['@modelcontextprotocol/inspector@2.12.0', 'mcp-remote@0.15.1', 'node@24'];

/**
 * Installs, once, the MCP servers and clients that these tests are about, in the versions that are named here, in requirements.txt
 * and in document-client/go.mod.
 */
export async function setup(): Promise<void> {
  if (!existsSync(PYTHON)) await run('python3', ['-m', 'venv', `${FOLDER}/python`]);
  await run(PYTHON, ['-m', 'pip', 'install', '--quiet', '-r', `${ROOT}__tests__/remote/requirements.txt`]);
  if (!existsSync(GO_EVERYTHING)) {
    await run('go', ['install', GO_EXAMPLE], { env: { ...process.env, GOBIN: `${FOLDER}/go` } });
  }
  await run('go', ['build', '-o', GO_DOCUMENT_CLIENT, '.'], { cwd: `${ROOT}__tests__/remote/document-client` });
  if (!existsSync(NEWEST_NODE)) {
    await run('npm', ['install', '--no-fund', '--no-audit', '--prefix', `${FOLDER}/npm`, ...NPM_PACKAGES]);
  }
}
