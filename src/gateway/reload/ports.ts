import type { RequestListener } from 'node:http';
import { withSentence } from '../../core/sentences.js';
import type { Logger } from '../../index.js';
import type { BindConfig } from '../config/gateway-config.js';
import { type ConnectionTimes, logTimeouts, serverOptions, useTimes } from '../connections.js';
import type { InputFiles } from '../input-files.js';
import { closeListener, openListener } from '../listener.js';
import { createPortServer, type PortServer } from '../port-server.js';
import { refuseConnection } from '../refused-connection.js';

/** A port as a version of the file needs it. */
export interface WantedPort {
  /** Equal for the same port in two versions of the file. */
  readonly id: string;
  readonly bind: BindConfig;
  readonly handler: RequestListener;
  readonly times: ConnectionTimes;
  readonly files: InputFiles;
}

/** A port that is served, or will be. */
interface Port extends PortServer {
  readonly id: string;
  bind: BindConfig;
  handler: RequestListener;
  times: ConnectionTimes;
  /** Undefined until it is open. */
  address: string | undefined;
}

/** The ports of a version of the file, prepared but not used. */
export interface PreparedPorts {
  /**
   * Opens the ports that are new, or none.
   *
   * @throws {StartupError} If one of them cannot be opened.
   */
  open(host: string): Promise<void>;
  /** Serves this version, and accepts no more connections at ports that it does not have. */
  use(host: string): Promise<ClosingPorts>;
  /** Closes the ports that `open()` has opened: this version is not used. */
  discard(): Promise<void>;
}

/** Ports that accept no more connections. */
export interface ClosingPorts {
  /** Closes their connections; resolves when that is done. Call it once their requests are answered. */
  finish(): Promise<void>;
}

/** The servers of all ports. */
export class Ports {
  readonly #logger: Logger;
  readonly #isEnding: () => boolean;
  #ports: readonly Port[] = [];

  /** @param isEnding True once the process is shutting down. */
  constructor(logger: Logger, isEnding: () => boolean) {
    this.#logger = logger;
    this.#isEnding = isEnding;
  }

  /** The addresses of the open ports, in the file's order. */
  get addresses(): readonly string[] {
    return this.#ports.flatMap(({ address }) => address ?? []);
  }

  /** Returns the address of a port of the file. Undefined while it is closed. */
  addressOf(id: string): string | undefined {
    return this.#ports.find((port) => port.id === id)?.address;
  }

  /** @throws {StartupError} If a certificate cannot be used. */
  prepare(wanted: readonly WantedPort[]): PreparedPorts {
    const before = this.#ports;
    const changes = wanted.map((want) => this.#change(want));
    const next = changes.map(({ port }) => port);
    const fresh = next.filter((port) => !before.includes(port));
    const gone = before.filter((port) => !next.includes(port));
    // Ports that only another server can serve: it can open the port once the old server has closed it.
    const replaced = fresh.filter(({ id }) => gone.some((port) => port.id === id && port.address !== undefined));
    const added = fresh.filter((port) => !replaced.includes(port));
    return {
      open: (host) => openAll(added, host),
      use: async (host) => {
        for (const { use } of changes) use();
        this.#ports = next;
        const closing = closePorts(gone);
        await this.#reopen(replaced, host);
        return closing;
      },
      discard: () => closePorts(fresh).finish(),
    };
  }

  /** Accepts no more connections at any port. */
  close(): ClosingPorts {
    return closePorts(this.#ports);
  }

  #change(wanted: WantedPort): { readonly port: Port; use(): void } {
    const { id, bind, handler, times } = wanted;
    const known = this.#ports.find((port) => port.id === id && port.address !== undefined);
    const useCertificates = known?.prepare(bind);
    if (known === undefined || useCertificates === undefined)
      return { port: this.#create(wanted), use: () => undefined };
    return {
      port: known,
      use() {
        known.bind = bind;
        known.handler = handler;
        known.times = times;
        useTimes(known.server, times);
        useCertificates();
      },
    };
  }

  #create({ id, bind, handler, times, files }: WantedPort): Port {
    // The answers at a closed port end their connections.
    const isEnding = () => this.#isEnding() || port.address === undefined;
    const options = serverOptions(times, isEnding);
    const server = createPortServer(bind, (req, res) => port.handler(req, res), {
      logger: this.#logger,
      files,
      options,
    });
    const port: Port = { id, bind, handler, times, ...server, address: undefined };
    logTimeouts(port.server, () => port.times, this.#logger);
    return port;
  }

  async #reopen(ports: readonly Port[], host: string): Promise<void> {
    try {
      await openAll(ports, host);
    } catch (error) {
      this.#logger.error(withSentence((error as Error).message, 'The port is closed until the file is read again'));
    }
  }
}

async function openAll(ports: readonly Port[], host: string): Promise<void> {
  const opened = await Promise.allSettled(
    ports.map(async (port) => {
      port.address = await openListener(port.server, host, port.bind);
    }),
  );
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await closePorts(ports).finish();
  throw failed.reason;
}

function closePorts(ports: readonly Port[]): ClosingPorts {
  const closing = ports.map((port) => {
    port.address = undefined;
    // Clients keep connections open. What they send on them now came after the reload.
    port.handler = refuseConnection;
    return closeListener(port.server);
  });
  return {
    async finish() {
      await Promise.all(closing.map((each) => each.finish()));
    },
  };
}
