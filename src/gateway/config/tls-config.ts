import { TLS, TLS_VERSIONS } from '../schema/listener-keys.js';
import type { ConfigNode } from './config-node.js';
import { readFileName } from './text-source.js';

/** The certificate of a listener. */
export interface TlsConfig {
  /** Absolute names of PEM files. */
  readonly cert: string;
  readonly key: string;
  /** The authorities of client certificates. Every client must have one then. */
  readonly root?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly at: string;
}

const OTHER = { why: 'the certificate is read from the files cert and key', canIgnore: false };

const STAYS_OUT = new Map([
  ['spiffe', OTHER],
  [
    'cipherSuites',
    { why: "Node's cipher suites are used. NODE_OPTIONS=--tls-cipher-list=… changes them", canIgnore: false },
  ],
  ['keyExchangeGroups', { why: "Node's key exchange groups are used", canIgnore: false }],
]);

/** Reads the member `tls` of a listener or gateway. */
export function readTls(node: ConfigNode, directory: string): TlsConfig {
  const { cert, key, root, mode, minTLSVersion, minTlsVersion, maxTLSVersion, maxTlsVersion } = node.members(TLS, {
    staysOut: STAYS_OUT,
  });
  if (mode && mode.text() !== 'static') mode.refuse('is not supported, except "static"');
  const [min, max] = [minTLSVersion ?? minTlsVersion, maxTLSVersion ?? maxTlsVersion];
  return {
    cert: readFileName(cert, directory).file,
    key: readFileName(key, directory).file,
    ...(root && { root: readFileName(root, directory).file }),
    ...(min && { minVersion: readVersion(min) }),
    ...(max && { maxVersion: readVersion(max) }),
    at: node.path,
  };
}

function readVersion(node: ConfigNode): 'TLSv1.2' | 'TLSv1.3' {
  return node.word(TLS_VERSIONS) === 'TLS_V1_2' ? 'TLSv1.2' : 'TLSv1.3';
}
