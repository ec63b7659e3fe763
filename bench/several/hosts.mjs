import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { mcpBackend, mcpStdioBackend } from '../../dist/index.js';

// The processes that are measured, each started as `node hosts.mjs NAME PORT`.
const [name = '', port = ''] = process.argv.slice(2);
const local = (path) => fileURLToPath(new URL(path, import.meta.url));
const lean = { command: process.execPath, args: [local('../stdio/lean-server.mjs')] };
const limits = { maxSessions: 1_000, maxPendingRequests: 1_000 };
/** A server that lists so many tools, with descriptions and schemas of a usual size. */
const listing = (tools) => ({ command: process.execPath, args: [local('list-server.mjs'), `${tools}`] });
const times = (count, target) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, target]));

const hosts = {
  'mcpStdioBackend()': () => mcpStdioBackend({ ...lean, ...limits }),
  'one target': () => mcpBackend({ targets: { t0: lean }, ...limits }),
  'two targets': () => mcpBackend({ targets: times(2, lean), ...limits }),
  'four targets': () => mcpBackend({ targets: times(4, lean), ...limits }),
  'list of 50': () => mcpStdioBackend({ ...listing(50), ...limits }),
  'list of 4 × 50': () => mcpBackend({ targets: times(4, listing(50)), ...limits }),
  'list of 200': () => mcpStdioBackend({ ...listing(200), ...limits }),
  'list of 4 × 200': () => mcpBackend({ targets: times(4, listing(200)), ...limits }),
  'list of 4 × 200, pinned': () => mcpBackend({ targets: times(4, listing(200)), pin: true, ...limits }),
};
const create = hosts[name];
if (create === undefined) throw new Error(`no host is called "${name}"`);
const backend = create();
createServer((req, res) => backend(req, res, () => res.writeHead(500).end())).listen(Number(port), '127.0.0.1');
process.once('SIGTERM', () => void backend.close().then(() => process.exit()));
