import { statSync } from 'node:fs';
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { Logger } from '../index.js';
import type { BindConfig } from './config/gateway-config.js';
import { createHostTable } from './config/hostnames.js';
import type { TlsConfig } from './config/tls-config.js';
import { serverOptions } from './connections.js';
import { atPlace, readInputFile, StartupError } from './startup-error.js';

/**
 * Creates the server of a port: HTTP, or HTTPS with the certificate for the name that a client asks for.
 *
 * @throws {StartupError} If a certificate cannot be used.
 */
export function createPortServer(
  bind: BindConfig,
  listener: RequestListener,
  logger: Logger,
  options: ServerOptions = serverOptions(),
): Server {
  const [first, ...others] = bind.listeners.flatMap(({ tls, hostname }) => (tls ? [{ tls, hostname }] : []));
  if (first === undefined) return createServer(options, listener);
  if (others.length + 1 < bind.listeners.length)
    throw new StartupError(`${bind.at} has listeners with and without tls: a port has either all or none`);
  for (const { tls } of others) refuseDifference(first.tls, tls);
  const certificates = [first, ...others].map(({ tls, hostname }) => ({ hostname, certificate: new Certificate(tls) }));
  const certificateFor = createHostTable(certificates.map((each) => [each.hostname, each.certificate] as const));
  const fallback = (certificates.find(({ hostname }) => hostname === '*') ?? certificates[0])
    ?.certificate as Certificate;
  const { root, minVersion, maxVersion } = first.tls;
  const shared = {
    ...(root && { requestCert: true, rejectUnauthorized: true, ca: readInputFile(root) }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
  };
  const server = createTlsServer(
    {
      ...options,
      ...fallback.options,
      ...shared,
      SNICallback: (name, done) => done(null, (certificateFor(name)[0] ?? fallback).current(logger)),
    },
    listener,
  );
  // Clients that send no name get the server's own certificate.
  let used = fallback.current(logger);
  server.on('connection', () => {
    const current = fallback.current(logger);
    if (current === used) return;
    used = current;
    server.setSecureContext({ ...fallback.options, ...shared });
  });
  return server as unknown as Server;
}

/** What the certificates of a port must share: a server decides it before it knows the name. */
function refuseDifference(one: TlsConfig, other: TlsConfig): void {
  for (const name of ['root', 'minVersion', 'maxVersion'] as const) {
    if (one[name] !== other[name])
      throw new StartupError(
        `${other.at} differs from ${one.at} in ${NAMES[name]}: both are on one port, so write the same`,
      );
  }
}

const NAMES = { root: 'root', minVersion: 'minTLSVersion', maxVersion: 'maxTLSVersion' } as const;

/** Time between two looks at the files of a certificate. */
const CHECK_MS = 1_000;

/** A certificate and its key, read again when the files change: certificates are renewed every few weeks. */
class Certificate {
  readonly #config: TlsConfig;
  #options: SecureContextOptions = {};
  #context: SecureContext;
  #version: string;
  #nextCheck = 0;

  constructor(config: TlsConfig) {
    this.#config = config;
    this.#version = this.#readVersion();
    this.#context = this.#read();
  }

  /** The certificate and key of {@link current}, as Node's servers take them. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** The newest certificate that can be used. */
  current(logger: Logger): SecureContext {
    if (performance.now() < this.#nextCheck) return this.#context;
    this.#nextCheck = performance.now() + CHECK_MS;
    try {
      const version = this.#readVersion();
      if (version === this.#version) return this.#context;
      this.#version = version;
      this.#context = this.#read();
      logger.info(`${this.#config.at}: read the new certificate`);
    } catch (error) {
      logger.error(`${(error as Error).message}. The previous certificate stays in use`);
    }
    return this.#context;
  }

  #readVersion(): string {
    const { cert, key } = this.#config;
    return [cert, key].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs).join(' ');
  }

  #read(): SecureContext {
    const { cert, key, at: place } = this.#config;
    return atPlace(place, () => {
      const options = { cert: readInputFile(cert), key: readInputFile(key) };
      try {
        const context = createSecureContext(options);
        this.#options = options;
        return context;
      } catch (error) {
        throw new StartupError(`cert and key cannot be used: ${(error as Error).message}`, { cause: error });
      }
    });
  }
}
