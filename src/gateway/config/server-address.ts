import { isIPv6 } from 'node:net';

/** An address on which the command listens, in addition to the ports of the file. */
export interface ServerAddress {
  /** An IP address or a name, without brackets. */
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9._-]{1,255})):(\d{1,5})$/i;

/** Parses `127.0.0.1:15000`, `[::1]:15000` or `localhost:15000`. Undefined if it is none of these. */
export function parseServerAddress(text: string): ServerAddress | undefined {
  const [, v6, name, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535) || (v6 !== undefined && !isIPv6(v6))) return undefined;
  // localhost is ::1 on some machines, where clients that ask for 127.0.0.1 would find nothing.
  const host = name === 'localhost' ? '127.0.0.1' : (v6 ?? name ?? '');
  return { host, port };
}

/** An address as messages and clients write it. */
export function describeAddress({ host, port }: ServerAddress): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
