import type { FetchError } from '../upstream/bounded-fetch.js';
import { ADDRESS_REFUSED } from '../upstream/guarded-fetch.js';
import type { Finding, Fix, reporterFor } from './finding.js';
import { type ProbeResponse, reasonIn, TOO_MANY_REQUESTS } from './probe.js';

type Report = ReturnType<typeof reporterFor>;

/** The advice for a status that has nothing to do with logins or tokens. */
const STATUS_FIXES: Readonly<Record<number, Fix>> = {
  400: 'Look into the log of whatever answered; the request was initialize, in JSON.',
  403: 'See what refuses: a firewall, a check of Host or Origin, or the application. Clients log in after a 401 only.',
  404: {
    code: 'Check the path, and that mcpAuth() stands before whatever answered.',
    file: 'Check the path: a route of the running file must match it, and resourceMetadata.resource must have it.',
  },
  405: {
    code: 'Let POST through: app.use() or app.all() for the path, not app.get().',
    file: 'See what stands before the gateway, which takes POST on every route.',
  },
  406: 'See what answered: the request accepts application/json and text/event-stream, as that of every client.',
  407: 'See which proxy on the way wants a login of its own.',
  415: 'See what answered: the request is application/json, as that of every client.',
  421: 'Check host name and proxy: whatever answered does not serve this host on this connection.',
  429: 'Wait, and look again.',
  502: 'See that the MCP server runs, and that what stands before it reaches it: 502 comes from in between.',
  503: 'See in the log what is not available: the application, or what stands before it.',
  504: 'See why the MCP server does not answer what stands before it in time: 504 comes from in between.',
  511: 'Log in to the network first: 511 comes from it.',
};

const OTHER_FIX = (status: number): Fix =>
  status >= 500 ? 'Look into the log of the server.' : 'See what answered, and why.';

const PAGE_FIX =
  'Check the address; and see whether something on the way answers in the place of the server, such as a login page.';

/** How a status of 400 or more is reported. */
interface StatusReport {
  readonly seen: string;
  readonly affects: string;
}

/**
 * The finding for an answer that is neither a challenge nor one of MCP: no client can go on after it. The status seldom
 * shows whose fault it is.
 */
export function unexpectedFinding(report: Report, answer: ProbeResponse, { seen, affects }: StatusReport): Finding {
  const { status, headers } = answer;
  if (status < 300) {
    const what = `${status} with ${headers.get('content-type') ?? 'no content type'}, no answer of MCP`;
    return report.fault(what, 'Clients get no answer that they can read.', PAGE_FIX);
  }
  if (status < 400) {
    const fix = 'Give out the address that it redirects to; where that is a login page, let this path through to MCP.';
    return report.fault(`${status} to ${headers.get('location')}`, 'Clients do not follow with their token.', fix);
  }
  const reason = reasonIn(answer);
  if (status === 429) {
    const after = headers.get('retry-after');
    const what = `${seen}${after === null ? '' : `, retry after ${after}`}`;
    return report.warning(what, 'Too many requests: what a client would get is not known.', STATUS_FIXES[429] as Fix);
  }
  const fix = reason === undefined ? (STATUS_FIXES[status] ?? OTHER_FIX(status)) : `See ${reason} in docs/errors.md.`;
  const what = reason === undefined ? seen : `${seen} (${reason})`;
  return report.fault(what, affects, fix);
}

const CERTIFICATE_FIX =
  'Use a certificate of an authority that clients trust, with its whole chain. To look all the same, name that authority in NODE_EXTRA_CA_CERTS.';
const NAME_FIX = 'Correct the name, or its entry in DNS.';
const CLOSED_FIX = 'Look into the log of the server, or of what stands before it; and check http and https.';

/** Node's words for a connection without an answer. */
const CONNECTIONS: Readonly<Record<string, readonly [seen: string, fix: string]>> = {
  ECONNREFUSED: ['the connection is refused', 'Start the server, or correct the address.'],
  ECONNRESET: ['the connection was closed without an answer', CLOSED_FIX],
  EPIPE: ['the connection was closed without an answer', CLOSED_FIX],
  EHOSTUNREACH: ['there is no way to the host', 'Check the address, and the network.'],
  ENETUNREACH: ['there is no way to the network', 'Check the address, and the network.'],
  ETIMEDOUT: ['the connection cannot be made in time', 'Check the address, and firewalls on the way.'],
  TimeoutError: ['', 'See whether the server hangs, or a firewall drops what is sent.'],
  ENOTFOUND: ['the name is not known', NAME_FIX],
  EAI_AGAIN: ['the name cannot be resolved at the moment', 'Check the name, and the network.'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['the certificate is self-signed', CERTIFICATE_FIX],
  SELF_SIGNED_CERT_IN_CHAIN: ['the certificate is of an authority that is not trusted', CERTIFICATE_FIX],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['the certificate comes without a chain to a trusted authority', CERTIFICATE_FIX],
  UNABLE_TO_GET_ISSUER_CERT: ['the certificate comes without a chain to a trusted authority', CERTIFICATE_FIX],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['the certificate is of an authority that is not trusted', CERTIFICATE_FIX],
  CERT_HAS_EXPIRED: ['the certificate has expired', 'Renew it, or set the clock of this machine right.'],
  CERT_NOT_YET_VALID: ['the certificate is not valid yet', 'Set the clocks right, or wait.'],
  CERT_REVOKED: ['the certificate is revoked', 'Get another.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate is for another name',
    'Get one for this host, or correct the address.',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: ['no TLS is spoken there', 'Serve https there, or correct the address.'],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: ['no TLS is spoken there', 'Serve https there, or correct the address.'],
  EPROTO: ['no TLS is spoken there', 'Serve https there, or correct the address.'],
  [TOO_MANY_REQUESTS]: ['', 'See why what this server names leads to so many addresses.'],
  [ADDRESS_REFUSED]: [
    '',
    'Name an address that clients on the internet reach; or look from the network of the server.',
  ],
};

/** Explains why a connection brought no answer, and what to do. */
export function explainConnection({ code = '', message, answered }: FetchError): { seen: string; fix: string } {
  if (answered) return { seen: `the answer broke off (${message})`, fix: CLOSED_FIX };
  const [seen, fix] = CONNECTIONS[code] ?? [undefined, OTHER_CONNECTION_FIX(code)];
  if (seen === '' || seen === undefined) return { seen: message, fix };
  return { seen: `${seen} (${code})`, fix };
}

const OTHER_CONNECTION_FIX = (code: string): string =>
  code.startsWith('HPE_')
    ? 'See what listens there: it does not speak HTTP/1.1.'
    : 'Check the address, and the network.';
