import type { RequestListener, Server } from 'node:http';
import type { Socket } from 'node:net';
import { refuseConnection } from './refused-connection.js';

/** The connections of a server that checks the certificates of its clients when they connect. */
export interface AuthorizedConnections {
  /** Calls `handle`, except for requests on connections whose clients were checked against an authority that is gone. */
  guard(handle: RequestListener): RequestListener;
  /** Begins to note the authorities of each connection. */
  watch(server: Server): void;
}

/** @param authorities Returns the present authorities of client certificates, in PEM; undefined for none. */
export function createAuthorizedConnections(authorities: () => string | undefined): AuthorizedConnections {
  const checkedAgainst = new WeakMap<Socket, string | undefined>();
  return {
    guard: (handle) => (req, res) => {
      const present = authorities();
      if (!isPartOf(checkedAgainst.get(req.socket), present)) refuseConnection(req, res);
      else {
        checkedAgainst.set(req.socket, present);
        handle(req, res);
      }
    },
    watch: (server) =>
      void server.on('secureConnection', (socket: Socket) => checkedAgainst.set(socket, authorities())),
  };
}

const CERTIFICATES = /-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g;

/** True if no authority was removed. A new authority ends no connection. */
function isPartOf(earlier: string | undefined, present: string | undefined): boolean {
  if (earlier === present) return true;
  if (earlier === undefined || present === undefined) return false;
  return earlier.match(CERTIFICATES)?.every((certificate) => present.includes(certificate)) === true;
}
