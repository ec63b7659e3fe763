import { generateKeyPairSync } from 'node:crypto';
import { CALLER_TOKEN_TABLE } from '../bridge/http/caller-token-options.js';
import {
  requireBearer,
  requireCertificate,
  requireHeader,
  requireHeaderRecord,
} from '../bridge/http/read-http-options.js';
import { isLoopbackHost } from '../http/loopback.js';
import type { Logger, McpHttpBackendOptions, RetryOptions } from '../index.js';
import { createChecks } from '../options/checks.js';
import { certificateFault } from './certificate-fault.js';
import type { RemoteTargetConfig } from './config/remote-target.js';
import { resolveText, type TextSource } from './config/text-source.js';
import type { InputFiles } from './input-files.js';
import { createJwtSigner } from './policies/jwt-sign.js';
import { upstreamTokenHeaders } from './policies/upstream-token-headers.js';
import { atPlace, StartupError } from './startup-error.js';

const checks = createChecks('mcpHttpBackend()');

/** Returns the names of options in the file that differ from those in code. */
export function namesInFile(target?: RemoteTargetConfig): ReadonlyMap<string, string> {
  const isHeader =
    (target?.backendAuth?.header ?? target?.backendAuth?.jwtSign ?? target?.backendAuth?.upstreamToken) !== undefined;
  return new Map([
    ['bearer', 'backendAuth'],
    ['headers', isHeader ? 'backendAuth' : 'requestHeaderModifier'],
    ['replica', '--replica NAME'],
    ['sessions', 'statefulMode: stateless'],
  ]);
}

interface RemoteInputs {
  readonly logger: Logger;
  readonly files: InputFiles;
  /** True if the route lets anonymous callers in. */
  readonly isOpen: boolean;
  /** The rules for sending requests again. Undefined: no request is sent twice. */
  readonly retry?: RetryOptions | undefined;
}

/**
 * Returns the options of a remote target: those in the file, its secrets and its certificates.
 *
 * @throws {StartupError} If they do not fit together, or if a file cannot be read.
 */
export function remoteOptions(target: RemoteTargetConfig, { logger, files, isOpen, retry }: RemoteInputs) {
  const { url, options: written, at: place } = target;
  const secrets = {
    ...files.use<ReturnType<typeof readCredential>>(
      () => readCredential(target, files),
      () => readHeaders(target),
    ),
    ...files.use<Certificates>(
      () => readCertificates(target, files),
      () => ({}),
    ),
    ...readCallerToken(target, files),
  };
  requireOneLogin(target);
  // The user's own token gives no caller the rights of another one.
  const [shared] = isOpen && target.backendAuth?.upstreamToken !== true ? secretsOf(target) : [];
  if (shared !== undefined) logger.warn(`${place}: ${shared} ${SHARED_SECRET}`);
  const isPlain = url.protocol === 'http:' && !isLoopbackHost(url.hostname);
  if (isPlain && written.dangerouslyAllowHttp !== true) {
    requireNoSecret(target);
    logger.warn(`${place}.host: ${url.origin} ${PLAIN_HTTP}`);
  }
  return { ...written, ...secrets, retry, url: url.href, ...(isPlain && { dangerouslyAllowHttp: true }) };
}

const SHARED_SECRET =
  'lets anyone who can connect call the MCP server with the rights of this gateway, because the route lets anonymous callers in. ' +
  'Require a token (mode: strict), or listen where only trusted callers can connect.';

const PLAIN_HTTP =
  'is plain http on another machine: others can read and change messages on the way. Use https, or write ' +
  'dangerouslyAllowHttp: true beside host if the network is yours alone.';

/** Returns the places of the policies and options that send a secret to the target. */
function secretsOf({ options, backendAuth, headers = [], at }: RemoteTargetConfig): readonly string[] {
  const setting = headers.filter(({ values }) => Object.values(values).some((value) => value !== undefined));
  return [
    ...(backendAuth === undefined ? [] : [backendAuth.at]),
    ...setting.map(({ at: place }) => `${place}.set`),
    ...(options.callerToken === undefined ? [] : [`${at}.callerToken`]),
  ];
}

function requireNoSecret(target: RemoteTargetConfig): void {
  const [secret] = secretsOf(target);
  if (secret === undefined) return;
  throw new StartupError(
    `${target.at}.host is plain http on another machine, and ${secret} would send a secret to it: use https, or ` +
      'write dangerouslyAllowHttp: true beside host if the network is yours alone',
  );
}

/** Requires that at most one place in the file sets each header with a credential. */
function requireOneLogin({ options, backendAuth, headers = [], at }: RemoteTargetConfig): void {
  const own = backendAuth?.header?.name ?? 'authorization';
  for (const header of new Set([own, 'authorization'])) {
    // Of several modifiers, the last one counts.
    const [named] = headers.filter(({ values }) => Object.hasOwn(values, header)).slice(-1);
    const setters = [
      ...(backendAuth === undefined || own !== header ? [] : [backendAuth.at]),
      ...(options.callerToken === undefined || header !== 'authorization' ? [] : [`${at}.callerToken`]),
      ...(named === undefined ? [] : [`${named.at}.set.${header}`]),
    ];
    const [first, second] = setters;
    if (second !== undefined)
      throw new StartupError(
        `${first} and ${second} both set ${header === 'authorization' ? 'Authorization' : header}: remove one of them`,
      );
  }
}

/** Returns the options that carry `backendAuth`, with those of `requestHeaderModifier`. */
function readCredential(
  target: RemoteTargetConfig,
  files: InputFiles,
): Pick<McpHttpBackendOptions, 'bearer' | 'headers'> {
  const { backendAuth } = target;
  const others = readHeaders(target);
  if (backendAuth === undefined) return others;
  const { key, jwtSign, upstreamToken, at: place, header } = backendAuth;
  const { name, prefix } = header ?? BEARER;
  if (jwtSign !== undefined) {
    const sign = createJwtSigner(jwtSign, files);
    return { headers: async () => ({ ...others.headers, [name]: `${prefix}${await sign()}` }) };
  }
  if (upstreamToken) return { headers: upstreamTokenHeaders({ name, prefix }, others.headers) };
  return atPlace(place, () => {
    const secret = resolveText(key as TextSource, files);
    if (header === undefined) return { ...others, bearer: requireBearer(checks, secret, 'key') };
    return { headers: { ...others.headers, [name]: requireHeader(checks, 'key', name, prefix + secret) } };
  });
}

const BEARER = { name: 'authorization', prefix: 'Bearer ' };

interface Certificates {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
}

function readCertificates({ backendTls }: RemoteTargetConfig, inputs: InputFiles): Certificates {
  if (backendTls === undefined) return {};
  const { root, cert, key, at: place } = backendTls;
  return atPlace(place, () => {
    const [authority, own, privateKey] = [root, cert, key].map(
      (source) => source && { file: source.file, text: resolveText(source, inputs) },
    );
    const fault = certificateFault({ root: authority, cert: own, key: privateKey });
    if (fault !== undefined) throw new StartupError(fault);
    const files = {
      ...(authority && { ca: [authority.text] }),
      ...(own && { cert: own.text }),
      ...(privateKey && { key: privateKey.text }),
    };
    requireCertificate(checks, files, '', 'root');
    return files;
  });
}

function readCallerToken({ callerKey, options, at: place }: RemoteTargetConfig, files: InputFiles) {
  if (callerKey === undefined) return {};
  const { callerToken } = options as Pick<McpHttpBackendOptions, 'callerToken'>;
  const read = () => CALLER_TOKEN_TABLE.key.read(checks, resolveText(callerKey, files), 'callerToken.key')?.key;
  return { callerToken: { ...callerToken, key: files.use(() => atPlace(place, read), makeKey) } };
}

const makeKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function readHeaders({ headers }: RemoteTargetConfig): { headers?: Record<string, string | undefined> } {
  if (headers === undefined) return {};
  const records = headers.map(({ values, at: place }) =>
    atPlace(place, () => requireHeaderRecord(checks, values, 'set')),
  );
  return { headers: Object.fromEntries(records.flatMap((record) => [...record])) };
}
