import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Logger } from '../index.js';
import { canonicalJson } from '../targets/several/canonical-json.js';
import { Certificates } from './certificates.js';
import { createAuthorizedConnections } from './client-authorities.js';
import type { BindConfig } from './config/gateway-config.js';
import type { TlsConfig } from './config/tls-config.js';
import type { InputFiles } from './input-files.js';
import { StartupError } from './startup-error.js';

/** The server of a port. */
export interface PortServer {
  readonly server: Server;
  /**
   * Prepares the certificates of a new version of the port, and returns the function that uses them. Undefined if only another server can
   * serve it.
   *
   * @throws {StartupError} If a certificate cannot be used.
   */
  prepare(bind: BindConfig): (() => void) | undefined;
}

interface PortParts {
  readonly logger: Logger;
  readonly files: InputFiles;
  readonly options: ServerOptions;
}

/**
 * Creates the server of a port: HTTP, or HTTPS with the certificate for the name that a client asks for.
 *
 * @throws {StartupError} If a certificate cannot be used.
 */
export function createPortServer(
  bind: BindConfig,
  listener: RequestListener,
  { logger, files, options }: PortParts,
): PortServer {
  const shape = shapeOf(bind);
  const [first] = certificatesIn(bind);
  const changes =
    first &&
    files.use(
      () => createSecureServer(bind, first, { listener, logger, options }),
      () => undefined,
    );
  const server = changes?.server ?? createServer(options, listener);
  return {
    server,
    prepare: (next) => (shapeOf(next) === shape ? (changes?.prepare(next) ?? (() => undefined)) : undefined),
  };
}

function certificatesIn({ listeners }: BindConfig): readonly TlsConfig[] {
  return listeners.flatMap(({ tls }) => tls ?? []);
}

/** The settings that a server uses before it knows the host name that a client asks for. All certificates of a port must share them. */
function shapeOf(bind: BindConfig): string {
  const [first, ...others] = certificatesIn(bind);
  if (first === undefined) return 'http';
  if (others.length + 1 < bind.listeners.length)
    throw new StartupError(`${bind.at} has listeners with and without tls: a port has either all or none`);
  for (const other of others) refuseDifference(first, other);
  return canonicalJson([first.root !== undefined, first.minVersion, first.maxVersion]);
}

function refuseDifference(one: TlsConfig, other: TlsConfig): void {
  for (const name of ['root', 'minVersion', 'maxVersion'] as const) {
    if (one[name] !== other[name])
      throw new StartupError(
        `${other.at} differs from ${one.at} in ${NAMES[name]}: both are on one port, so write the same`,
      );
  }
}

const NAMES = { root: 'root', minVersion: 'minTLSVersion', maxVersion: 'maxTLSVersion' } as const;

interface ServerParts {
  readonly listener: RequestListener;
  readonly logger: Logger;
  readonly options: ServerOptions;
}

function createSecureServer(bind: BindConfig, { root, minVersion, maxVersion }: TlsConfig, parts: ServerParts) {
  const { listener, logger, options } = parts;
  let certificates = new Certificates(bind.listeners);
  let source = sourceOf(bind);
  const shared = {
    ...(root && { requestCert: true, rejectUnauthorized: true }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
  const connections = createAuthorizedConnections(() => certificates.fallback.authorities);
  const server = createTlsServer(
    {
      ...options,
      ...certificates.fallback.options,
      ...shared,
      SNICallback: (name, done) => done(null, certificates.for(name).current(logger)),
    },
    root ? connections.guard(listener) : listener,
  );
  connections.watch(server);
  certificates.refresh(logger);
  // Clients that send no name get the server's own certificate.
  let used = certificates.fallback.current(logger);
  const useNewest = () => {
    const current = certificates.fallback.current(logger);
    if (current === used) return;
    used = current;
    server.setSecureContext({ ...certificates.fallback.options, ...shared });
  };
  server.on('connection', useNewest);

  function prepare(next: BindConfig): () => void {
    const nextSource = sourceOf(next);
    const prepared = nextSource === source ? certificates : new Certificates(next.listeners);
    return () => {
      source = nextSource;
      certificates = prepared;
      certificates.refresh(logger);
      useNewest();
    };
  }
  return { server: server as unknown as Server, prepare };
}

/** The names of the files, and the hosts that they are for. */
function sourceOf({ listeners }: BindConfig): string {
  return canonicalJson(listeners.map(({ hostname, tls }) => [hostname, tls?.cert, tls?.key, tls?.root]));
}
