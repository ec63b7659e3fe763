import { listOf, type Members, membersOf, oneOfWords, recordOf, TEXT } from '../../options/value-type.js';
import { LISTENER_POLICIES } from './policy-keys.js';
import { ROUTE } from './route-keys.js';
import { FILE_NAME, NAMESPACE, PORT } from './value-forms.js';

export const TLS_VERSIONS = ['TLS_V1_2', 'TLS_V1_3'] as const;

const VERSION = oneOfWords(TLS_VERSIONS);

export const TLS = {
  cert: { type: FILE_NAME, isRequired: true },
  key: { type: FILE_NAME, isRequired: true },
  root: { type: FILE_NAME, otherwise: 'clients need no certificate' },
  mode: { type: oneOfWords(['static']), default: 'static' },
  minTLSVersion: { type: VERSION, default: 'TLS_V1_2' },
  minTlsVersion: { type: VERSION, otherwise: 'that of `minTLSVersion`' },
  maxTLSVersion: { type: VERSION, default: 'TLS_V1_3' },
  maxTlsVersion: { type: VERSION, otherwise: 'that of `maxTLSVersion`' },
} as const satisfies Members;

/** The keys of a listener that say for which connections it is. */
export const CONNECTIONS = {
  hostname: { type: TEXT, default: '*' },
  protocol: { type: oneOfWords(['HTTP', 'HTTPS']), otherwise: '`HTTPS` with `tls`' },
  tls: { type: membersOf('tls', TLS), otherwise: 'plain HTTP' },
} as const satisfies Members;

const LISTENER_NAME = { type: TEXT, otherwise: '`listener0`, …' } as const;

/** A listener of a gateway. */
export const LISTENER = {
  name: LISTENER_NAME,
  ...CONNECTIONS,
  ...LISTENER_POLICIES,
} as const satisfies Members;

const PORT_ROW = { type: PORT, isRequired: true } as const;

/** A port. */
export const GATEWAY = {
  port: PORT_ROW,
  listeners: { type: listOf(membersOf('listener', LISTENER), 1), otherwise: 'one, with the keys beside `port`' },
  ...CONNECTIONS,
  ...LISTENER_POLICIES,
} as const satisfies Members;

export const GATEWAYS = recordOf(membersOf('gateway', GATEWAY));

/** A listener of `binds`, with its routes. */
export const BIND_LISTENER = {
  routes: { type: listOf(membersOf('route', ROUTE), 1), isRequired: true },
  name: LISTENER_NAME,
  namespace: NAMESPACE,
  policies: { type: membersOf('listener policies', LISTENER_POLICIES) },
  ...CONNECTIONS,
} as const satisfies Members;

export const BIND = {
  port: PORT_ROW,
  listeners: { type: listOf(membersOf('bind listener', BIND_LISTENER), 1), isRequired: true },
} as const satisfies Members;
