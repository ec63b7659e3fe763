import { looksLikeFileName } from '../../bridge/http/caller-token-options.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { isRecord, stringsIn } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { NOT_BESIDE_HOST } from '../schema/misplaced-keys.js';
import { BACKEND_TLS } from '../schema/policy-keys.js';
import { REMOTE } from '../schema/target-keys.js';
import { type BackendAuth, readBackendAuth } from './backend-auth.js';
import type { ConfigNode } from './config-node.js';
import { type HeaderModifier, readHeaderModifier } from './header-modifier.js';
import type { Policies } from './policy-levels.js';
import { readFileName, readTextSource, type TextSource } from './text-source.js';

/** A remote MCP server, and how to call it. */
export interface RemoteTargetConfig {
  readonly url: URL;
  /** Options of `mcpHttpBackend()` under their own names. `mcpHttpBackend()` checks them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The key of `callerToken`, if it is in another file. */
  readonly callerKey?: TextSource;
  readonly backendAuth?: BackendAuth;
  readonly backendTls?: BackendTls;
  /** The headers that each `requestHeaderModifier` sets or removes, in the order in which they apply. */
  readonly headers?: readonly ChangedHeaders[];
  /** The place of the member `mcp`. */
  readonly at: string;
}

interface ChangedHeaders {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly at: string;
}

interface NamedFile {
  /** Its absolute name. */
  readonly file: string;
}

/** The files of the policy `backendTLS`. */
export interface BackendTls {
  readonly root?: NamedFile;
  readonly cert?: NamedFile;
  readonly key?: NamedFile;
  readonly at: string;
}

interface ConnectionPolicies extends Pick<Policies, 'backendAuth' | 'backendTLS'> {
  /** Each `requestHeaderModifier` for the target, in the order in which they apply. */
  readonly modifiers: readonly ConfigNode[];
}

/** Reads the member `mcp` of a target. */
export function readRemoteTarget(
  node: ConfigNode,
  { backendAuth, backendTLS, modifiers }: ConnectionPolicies,
  directory: string,
): RemoteTargetConfig {
  const { host, port, path, ...rest } = node.members(REMOTE, {
    unsupportedNames: ['backend'],
    elsewhere: NOT_BESIDE_HOST,
  });
  const others: Partial<Record<string, ConfigNode>> = rest;
  const url = readUrl({ host, port, path }, backendTLS !== undefined);
  const options = Object.fromEntries(Object.entries(others).map(([name, option]) => [name, option?.option()]));
  const callerKey = others.callerToken && readCallerKey(others.callerToken, directory);
  return {
    url,
    options,
    ...(callerKey && { callerKey }),
    ...(backendAuth && { backendAuth: readBackendAuth(backendAuth, directory) }),
    ...(backendTLS && { backendTls: readBackendTls(backendTLS, url, directory) }),
    ...(modifiers.length > 0 && { headers: headersFor(modifiers, options.requestHeaders) }),
    at: node.path,
  };
}

interface Address {
  readonly host: ConfigNode;
  readonly port: ConfigNode | undefined;
  readonly path: ConfigNode | undefined;
}

/** Reads a whole URL, or a name with port and path. As in agentgateway, a name means http, unless there is `backendTLS`. */
function readUrl({ host, port, path }: Address, isTls: boolean): URL {
  const name = host.text();
  const scheme = isTls ? 'https' : 'http';
  if ((port === undefined) !== (path === undefined)) {
    (port ?? path ?? host).refuse(`needs ${port === undefined ? 'port' : 'path'} beside it; or write a URL as host`);
  }
  const isUrl = name.includes('://');
  if (port !== undefined && isUrl) host.refuse('must be a name without "://" where there are port and path');
  // After a slash, all that follows is part of the path: the port would be too.
  if (port !== undefined && /[/\\?]/.test(name))
    host.refuse('must be a name without "/" where there are port and path');
  const text = isUrl ? name : `${scheme}://${addressOf(name, port)}${path === undefined ? '' : readPath(path)}`;
  // `new URL()` drops line ends and tabs within the text. YAML may leave a line end after it.
  const url = canParseUrl(text) && !/\p{Cc}(?!\n*$)/u.test(text) ? new URL(text) : undefined;
  const expected = 'must be an http or https URL, or a name';
  if (url === undefined || !/^https?:$/.test(url.protocol)) return host.refuse(`${expected}, without spaces`);
  if (url.username !== '' || url.password !== '') host.refuse(`${expected}, without user and password`);
  if (url.hash !== '') host.refuse(`${expected}, without "#"`);
  if (isTls && url.protocol === 'http:') host.refuse('must begin with https:// where there is backendTLS');
  return url;
}

function addressOf(name: string, port: ConfigNode | undefined): string {
  if (port === undefined) return name;
  const isBareV6 = name.includes(':') && !name.startsWith('[');
  return `${isBareV6 ? `[${name}]` : name}:${port.port()}`;
}

function readPath(node: ConfigNode): string {
  const path = node.text();
  return path.startsWith('/') ? path : node.refuse(`must begin with "/", but is ${JSON.stringify(path)}`);
}

/** Reads `key: { file: NAME }`. Returns undefined for the forms of a key that `mcpHttpBackend()` reads itself. */
function readCallerKey(callerToken: ConfigNode, directory: string): TextSource | undefined {
  if (!isRecord(callerToken.value)) return undefined;
  const [, key] = callerToken.children().find(([name]) => name === 'key') ?? [];
  if (typeof key?.value === 'string' && looksLikeFileName(key.value))
    key.refuse('must be the key itself, and not the name of its file. Write { file: NAME }.');
  return key !== undefined && isRecord(key.value) && 'file' in key.value ? readTextSource(key, directory) : undefined;
}

function readBackendTls(node: ConfigNode, url: URL, directory: string): BackendTls {
  const { root, cert, key, hostname } = node.members(BACKEND_TLS);
  if (hostname && hostname.text() !== url.hostname) hostname.refuse(`is not supported, except "${url.hostname}"`);
  if (cert && !key) cert.refuse('needs key beside it');
  if (key && !cert) key.refuse('needs cert beside it');
  return {
    ...(root && { root: readFileName(root, directory) }),
    ...(cert && { cert: readFileName(cert, directory) }),
    ...(key && { key: readFileName(key, directory) }),
    at: node.path,
  };
}

/** Returns the headers for the target. Those in `remove` get the value `undefined`. */
function headersFor(nodes: readonly ConfigNode[], forwarded: unknown): readonly ChangedHeaders[] {
  const passing = stringsIn(forwarded).map(lowerAscii);
  const changes: ChangedHeaders[] = [];
  for (const node of nodes) {
    const modifier = readHeaderModifier(node);
    const both = Object.keys(modifier.add).find((name) => passing.includes(name));
    if (both !== undefined)
      node.refuse(`must have ${both} in set and not in add, since requestHeaders forwards it too`);
    changes.push({ values: valuesAfter(changes, modifier), at: modifier.at });
  }
  return changes;
}

/** Returns the headers that a modifier changes after others. */
function valuesAfter(
  earlier: readonly ChangedHeaders[],
  { add, set, remove }: HeaderModifier,
): ChangedHeaders['values'] {
  const before = new Map(earlier.flatMap(({ values }) => Object.entries(values)));
  const added = Object.entries(add).map(([name, value]) => [name, join(before.get(name), value)] as const);
  const removed = remove.map((name) => [name, undefined] as const);
  return { ...Object.fromEntries([...removed, ...added]), ...set };
}

function join(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before}, ${value}`;
}
