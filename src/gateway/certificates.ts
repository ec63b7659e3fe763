import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { withSentence } from '../core/sentences.js';
import type { Logger } from '../index.js';
import { expiryWarning, type Validity, validityOf } from './certificate-expiry.js';
import { certificateFault } from './certificate-fault.js';
import type { BindConfig } from './config/gateway-config.js';
import { createHostTable } from './config/hostnames.js';
import type { TlsConfig } from './config/tls-config.js';
import { InputFiles } from './input-files.js';
import { atPlace, StartupError } from './startup-error.js';

/** The certificates of a port, one for each of its listeners. */
export class Certificates {
  readonly #certificates: readonly Certificate[];
  readonly #find: (name: string) => readonly Certificate[];
  /** For clients that ask for no name, or for one without a certificate. */
  readonly fallback: Certificate;

  /** @throws {StartupError} If a certificate cannot be used. */
  constructor(listeners: BindConfig['listeners']) {
    const entries = listeners.flatMap(({ hostname, tls }) => (tls ? [[hostname, new Certificate(tls)] as const] : []));
    this.#certificates = entries.map(([, certificate]) => certificate);
    this.#find = createHostTable(entries);
    const [, fallback] = entries.find(([hostname]) => hostname === '*') ?? entries[0] ?? [];
    if (fallback === undefined) throw new Error('a port without a certificate has no Certificates');
    this.fallback = fallback;
  }

  /** Returns the certificate for a host name. */
  for(name: string): Certificate {
    return this.#find(name)[0] ?? this.fallback;
  }

  /** Reads changed files now, and not at the next connection. */
  refresh(logger: Logger): void {
    for (const certificate of this.#certificates) certificate.refresh(logger);
  }
}

/** The time between two checks of the files of a certificate. */
const CHECK_MS = 1_000;
/** The time between two warnings about one certificate. */
const WARN_MS = 86_400_000;

/** A certificate, its key and the authorities of its clients, read again when the files change: certificates are renewed every few weeks. */
class Certificate {
  readonly #config: TlsConfig;
  readonly #names: readonly string[];
  #options: SecureContextOptions = {};
  #validity: Validity = { fromMs: 0, toMs: 0 };
  #context: SecureContext;
  /** Of the contents: a copied file may have the time of the one that it replaces. */
  #digest: string;
  #nextCheck = 0;
  #nextWarning = 0;

  constructor(config: TlsConfig) {
    this.#config = config;
    this.#names = [config.cert, config.key, config.root].filter((name) => name !== undefined);
    const files = new InputFiles();
    this.#digest = files.digestOf(this.#names);
    this.#context = this.#read(files);
  }

  /** The files of {@link current}, as Node's servers take them. */
  get options(): SecureContextOptions {
    return this.#options;
  }

  /** The authorities of its clients, in PEM; undefined if clients need no certificate. */
  get authorities(): string | undefined {
    return this.#options.ca?.toString();
  }

  /** The newest certificate that can be used. */
  current(logger: Logger): SecureContext {
    if (performance.now() >= this.#nextCheck) this.refresh(logger);
    return this.#context;
  }

  /** Uses the files if they have changed, and warns of a certificate that has expired or soon will. */
  refresh(logger: Logger): void {
    this.#useNewest(logger);
    const warning = performance.now() < this.#nextWarning ? undefined : expiryWarning(this.#validity);
    if (warning === undefined) return;
    this.#nextWarning = performance.now() + WARN_MS;
    logger.warn(`${this.#config.at}: ${warning}`);
  }

  #useNewest(logger: Logger): void {
    this.#nextCheck = performance.now() + CHECK_MS;
    const files = new InputFiles();
    const digest = files.digestOf(this.#names);
    if (digest === this.#digest) return;
    this.#digest = digest;
    try {
      this.#context = this.#read(files);
      this.#nextWarning = 0;
      logger.info(`${this.#config.at}: read the new certificate`);
    } catch (error) {
      logger.error(withSentence((error as Error).message, 'The previous certificate stays in use'));
    }
  }

  #read(files: InputFiles): SecureContext {
    const { cert, key, root, minVersion, maxVersion, at: place } = this.#config;
    return atPlace(place, () => {
      const read = (file: string) => ({ file, text: files.read(file) });
      const texts = { cert: read(cert), key: read(key), root: root === undefined ? undefined : read(root) };
      const fault = certificateFault(texts);
      if (fault !== undefined) throw new StartupError(fault);
      const options = {
        cert: texts.cert.text,
        key: texts.key.text,
        // Node verifies clients against the context for the name that they ask for. Without `ca`, that would be every public authority.
        ...(texts.root && { ca: texts.root.text }),
        ...(minVersion && { minVersion }),
        ...(maxVersion && { maxVersion }),
      };
      try {
        const context = createSecureContext(options);
        this.#validity = validityOf(options.cert);
        this.#options = options;
        return context;
      } catch (error) {
        throw new StartupError(`cert and key cannot be used: ${(error as Error).message}`, { cause: error });
      }
    });
  }
}
