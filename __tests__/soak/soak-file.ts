import { AUTHENTICATION } from '../support/gateway-folder.js';
import { fixture } from '../support/stdio-bridge.js';

interface FileSettings {
  readonly remote: string;
  /** An argument of every program, by which its processes are found. */
  readonly mark: string;
}

/** The routes that stay the same in all versions of the file. */
export const UNCHANGED = ['/sessions', '/remote', '/stateless', '/2026'];

/** A version of the file: all routes but the last two are the same in each. */
export function fileOf(version: number, { remote, mark }: FileSettings): string {
  const program = (...more: readonly string[]) => ({
    stdio: { cmd: 'sh', args: [fixture('light-server.sh'), mark, ...more] },
  });
  const route = (path: string, target: object, mcp: object = {}, policies: object = {}) => ({
    name: path.slice(1),
    matches: [{ path: { exact: path } }],
    backends: [{ mcp: { targets: [target], maxSessionsPerUser: 50, ...mcp } }],
    policies: { mcpAuthentication: AUTHENTICATION, localRateLimit: [LIMIT], ...policies },
  });
  const target = { mcp: { host: remote } };
  const routes = [
    route('/sessions', program()),
    route('/remote', target),
    route('/stateless', program(), { statefulMode: 'stateless' }),
    route('/2026', program()),
    route('/dying', program()),
    route('/changing-remote', target, {}, { requestHeaderModifier: { set: { 'x-version': `${version}` } } }),
    route('/changing', program(`version-${version}`)),
  ];
  const config = { trustProxy: ['127.0.0.1'], session: { key: '$SESSION_KEY' }, store: { redis: '$REDIS_URL' } };
  return JSON.stringify({ config, gateways: { default: { port: '$PORT' } }, routes });
}

/** So high that no client reaches it, but each call is counted in the store. */
const LIMIT = { maxTokens: 1_000_000, tokensPerFill: 1, fillInterval: '1h', per: 'user' };
