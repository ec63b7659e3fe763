import {
  requireBearer,
  requireCertificate,
  requireHeaderRecord,
  requirePem,
} from '../bridge/http/read-http-options.js';
import { isLoopbackHost } from '../http/loopback.js';
import { lowerAscii } from '../http/lower-ascii.js';
import type { Logger, McpHttpBackendOptions } from '../index.js';
import { createChecks } from '../options/checks.js';
import type { RemoteTarget } from './config/remote-target.js';
import { resolveText, type TextSource } from './config/text-source.js';
import type { InputFiles } from './input-files.js';
import { atPlace, StartupError } from './startup-error.js';

const checks = createChecks('mcpHttpBackend()');

/** The names of options in the file that differ from those in code. */
export const NAMES_IN_FILE = new Map([
  ['bearer', 'backendAuth'],
  ['headers', 'requestHeaderModifier'],
  ['replica', '--replica NAME'],
  ['sessions', 'statefulMode: stateless'],
]);

interface Surroundings {
  readonly logger: Logger;
  readonly files: InputFiles;
  /** True if the route lets anonymous callers in. */
  readonly isOpen: boolean;
}

/**
 * Returns the options of a remote target: those in the file, its secrets and its certificates.
 *
 * @throws {StartupError} If they do not fit together, or if a file cannot be read.
 */
export function remoteOptions(target: RemoteTarget, { logger, isOpen, files }: Surroundings) {
  const { url, callerKey, options: written, at: place } = target;
  const secrets = { ...readBearer(target, files), ...readCertificates(target, files), ...readHeaders(target) };
  requireOneLogin(target);
  const [shared] = isOpen ? secretsOf(target) : [];
  if (shared !== undefined) logger.warn(`${place}: ${shared} ${SHARED_SECRET}`);
  const isPlain = url.protocol === 'http:' && !isLoopbackHost(url.hostname);
  if (isPlain && written.dangerouslyAllowHttp !== true) {
    requireNoSecret(target);
    logger.warn(`${place}.host: ${url.origin} ${PLAIN_HTTP}`);
  }
  const { callerToken } = written as Pick<McpHttpBackendOptions, 'callerToken'>;
  return {
    ...written,
    ...secrets,
    url: url.href,
    ...(isPlain && { dangerouslyAllowHttp: true }),
    ...(callerKey && { callerToken: { ...callerToken, key: resolveText(callerKey, files) } }),
  };
}

const SHARED_SECRET =
  'lets anyone who can connect call the MCP server with the rights of this gateway, because the route lets anonymous callers in. ' +
  'Require a token (mode: strict), or listen where only trusted callers can connect.';

const PLAIN_HTTP =
  'is plain http on another machine: others can read and change messages on the way. Use https, or write ' +
  'dangerouslyAllowHttp: true beside host if the network is yours alone.';

/** Returns the places of the policies and options that send a secret to the target. */
function secretsOf({ options, backendAuth, headers, at }: RemoteTarget): readonly string[] {
  const isSet = Object.values(headers?.values ?? {}).some((value) => value !== undefined);
  return [
    ...(backendAuth === undefined ? [] : [backendAuth.at]),
    ...(headers !== undefined && isSet ? [`${headers.at}.set`] : []),
    ...(options.callerToken === undefined ? [] : [`${at}.callerToken`]),
  ];
}

function requireNoSecret(target: RemoteTarget): void {
  const [secret] = secretsOf(target);
  if (secret === undefined) return;
  throw new StartupError(
    `${target.at}.host is plain http on another machine, and ${secret} would send a secret to it: use https, or ` +
      'write dangerouslyAllowHttp: true beside host if the network is yours alone',
  );
}

/** Requires that at most one place in the file sets the `Authorization` header. */
function requireOneLogin({ options, backendAuth, headers, at }: RemoteTarget): void {
  const named = Object.keys(headers?.values ?? {}).find((name) => lowerAscii(name) === 'authorization');
  const setters = [
    ...(backendAuth === undefined ? [] : [backendAuth.at]),
    ...(options.callerToken === undefined ? [] : [`${at}.callerToken`]),
    ...(named === undefined ? [] : [`${headers?.at}.set.${named}`]),
  ];
  const [first, second] = setters;
  if (second !== undefined) throw new StartupError(`${first} and ${second} both set Authorization: remove one of them`);
}

function readBearer({ backendAuth }: RemoteTarget, files: InputFiles): { bearer?: string } {
  if (backendAuth === undefined) return {};
  return atPlace(backendAuth.at, () => ({ bearer: requireBearer(checks, resolveText(backendAuth.key, files), 'key') }));
}

function readCertificates(
  { backendTls }: RemoteTarget,
  inputs: InputFiles,
): { ca?: string[]; cert?: string; key?: string } {
  if (backendTls === undefined) return {};
  const { root, cert, key, at: place } = backendTls;
  const pem = (source: TextSource, option: string) => String(requirePem(checks, resolveText(source, inputs), option));
  return atPlace(place, () => {
    const files = {
      ...(root && { ca: [pem(root, 'root')] }),
      ...(cert && { cert: pem(cert, 'cert') }),
      ...(key && { key: pem(key, 'key') }),
    };
    requireCertificate(checks, files, '', 'root');
    return files;
  });
}

function readHeaders({ headers }: RemoteTarget): { headers?: Record<string, string | undefined> } {
  if (headers === undefined) return {};
  const record = atPlace(headers.at, () => requireHeaderRecord(checks, headers.values, 'set'));
  return { headers: Object.fromEntries(record) };
}
