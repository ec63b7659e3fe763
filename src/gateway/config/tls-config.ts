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

const UNSUPPORTED = new Map([
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
    unsupported: UNSUPPORTED,
  });
  if (mode && mode.text() !== 'static') mode.refuse('is not supported, except "static"');
  const [min, max] = [onlyOf(minTLSVersion, minTlsVersion), onlyOf(maxTLSVersion, maxTlsVersion)];
  const [minVersion, maxVersion] = [min && readVersion(min), max && readVersion(max)];
  if (minVersion === 'TLSv1.3' && maxVersion === 'TLSv1.2') min?.refuse(`is newer than ${max?.path}`);
  return {
    cert: readFileName(cert, directory).file,
    key: readFileName(key, directory).file,
    ...(root && { root: readFileName(root, directory).file }),
    ...(minVersion && { minVersion }),
    ...(maxVersion && { maxVersion }),
    at: node.path,
  };
}

/** Returns the one of two spellings that the file has. */
function onlyOf(one: ConfigNode | undefined, other: ConfigNode | undefined): ConfigNode | undefined {
  if (one !== undefined) other?.refuse(`is also in ${one.path}: write it once`);
  return one ?? other;
}

function readVersion(node: ConfigNode): 'TLSv1.2' | 'TLSv1.3' {
  return node.word(TLS_VERSIONS) === 'TLS_V1_2' ? 'TLSv1.2' : 'TLSv1.3';
}
