import type { FetchError } from '../upstream/bounded-fetch.js';
import { UNREADABLE_ENCODING } from '../upstream/content-encoding.js';
import { ADDRESS_REFUSED } from '../upstream/guard.js';
import { LOOKUP_TIMEOUT } from '../upstream/name-lookup.js';
import type { Finding, Fix, reporterFor } from './finding.js';
import { type ProbeResponse, reasonIn, rpcErrorIn, TOO_MANY_REQUESTS } from './probe.js';

type StepReporter = ReturnType<typeof reporterFor>;

/** The advice for a status that has nothing to do with logins or tokens. */
const STATUS_FIXES: Readonly<Record<number, Fix>> = {
  400: 'Check the log of the server that answered; the request was initialize, in JSON.',
  403: 'Find out what refuses: a firewall, a check of Host or Origin, or the application. Clients log in only after a 401.',
  404: {
    code: 'Check the path, and mount mcpAuth() before the handler that answered.',
    file: 'Check the path: a route of the running file must match it, and resourceMetadata.resource must contain it.',
  },
  405: {
    code: 'Accept POST: mount the path with app.use() or app.all(), not with app.get().',
    file: 'Find out what answers before the gateway, which accepts POST on every route.',
  },
  406: 'Find out what answered: like every client, the doctor accepts application/json and text/event-stream.',
  407: 'Find out which proxy in between asks for its own login.',
  415: 'Find out what answered: like every client, the doctor sends application/json.',
  421: 'Check the host name and the proxy: the server that answered does not serve this host on this connection.',
  429: 'Wait, then run the doctor again.',
  502: 'Check that the MCP server runs, and that the proxy in front of it reaches it: a proxy answers 502.',
  503: 'Check the log for what is not available: the application, or a proxy in front of it.',
  504: 'Find out why the MCP server does not answer the proxy in front of it in time: a proxy answers 504.',
  511: 'Log in to the network first: the network answers 511.',
};

const OTHER_FIX = (status: number): Fix =>
  status >= 500 ? 'Check the log of the server.' : 'Find out what answered, and why.';

const PAGE_FIX =
  'Check the address, and whether something in between answers instead of the server, such as a login page.';

/** The texts for a status of 400 or more. */
interface StatusReport {
  readonly seen: string;
  readonly affects: string;
}

/**
 * The finding for an answer that is neither a challenge nor an MCP message, after which no client can continue. The status
 * seldom shows what is at fault.
 */
export function unexpectedFinding(
  report: StepReporter,
  answer: ProbeResponse,
  { seen, affects }: StatusReport,
): Finding {
  const { status, headers } = answer;
  if (status < 300) {
    const what = `${status} ${contentOf(answer)}, not an MCP answer`;
    return report.fault(what, 'Clients get no answer that they can read.', PAGE_FIX);
  }
  if (status < 400) {
    const location = headers.get('location');
    if (location === null) return report.fault(`${status} without a Location`, affects, OTHER_FIX(status));
    const fix = 'Give clients the address that it redirects to; if that is a login page, exclude this path from it.';
    return report.fault(`${status} to ${location}`, 'Clients do not send their token there.', fix);
  }
  const reason = reasonIn(answer);
  if (status === 429) {
    const after = headers.get('retry-after');
    const what = `${seen}${after === null ? '' : `, retry after ${after}`}`;
    return report.warning(
      what,
      'Too many requests: the doctor cannot tell what a client would get.',
      STATUS_FIXES[429] as Fix,
    );
  }
  const fix = reason === undefined ? (STATUS_FIXES[status] ?? OTHER_FIX(status)) : `See ${reason} in docs/errors.md.`;
  const what = reason === undefined ? seen : `${seen} (${reason})`;
  return report.fault(what, affects, fix);
}

/** The content of an answer, for a report: what it is answered with. */
export function contentOf({ headers, isWhole }: ProbeResponse): string {
  if (!isWhole) return 'with more bytes than the doctor reads';
  const type = headers.get('content-type');
  return type === null ? 'without a content type' : `with ${type}`;
}

const CERTIFICATE_FIX =
  'Use a certificate of an authority that clients trust, with its whole chain. To run the doctor anyway, put your authority into NODE_EXTRA_CA_CERTS.';
const NAME_FIX = 'Correct the host name, or its entry in DNS.';
const CLOSED_FIX =
  'Check the log of the server or of the proxy in front of it, and whether the address needs http or https.';
const NETWORK_FIX = 'Check the address and the network.';
const NO_TLS = ['the server does not use TLS there', 'Serve https there, or correct the address.'] as const;

/** Node's error codes for a connection without an answer. An empty string stands for the error's own message. */
const CONNECTIONS: Readonly<Record<string, readonly [seen: string, fix: string]>> = {
  ECONNREFUSED: ['the connection is refused', 'Start the server, or correct the address.'],
  ECONNRESET: ['the connection was closed without an answer', CLOSED_FIX],
  EPIPE: ['the connection was closed without an answer', CLOSED_FIX],
  EHOSTUNREACH: ['the host cannot be reached', NETWORK_FIX],
  ENETUNREACH: ['the network cannot be reached', NETWORK_FIX],
  ETIMEDOUT: ['the connection timed out', 'Check the address, and firewalls in between.'],
  TimeoutError: ['', 'Check whether the server hangs, or a firewall drops the request.'],
  ENOTFOUND: ['the host name is not known', NAME_FIX],
  EAI_AGAIN: ['the host name cannot be resolved at the moment', 'Check the host name and the network.'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['the certificate is self-signed', CERTIFICATE_FIX],
  SELF_SIGNED_CERT_IN_CHAIN: ['the certificate is from an authority that is not trusted', CERTIFICATE_FIX],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['the certificate comes without a chain to a trusted authority', CERTIFICATE_FIX],
  UNABLE_TO_GET_ISSUER_CERT: ['the certificate comes without a chain to a trusted authority', CERTIFICATE_FIX],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['the certificate is from an authority that is not trusted', CERTIFICATE_FIX],
  CERT_HAS_EXPIRED: ['the certificate has expired', 'Renew it, or correct the clock of this machine.'],
  CERT_NOT_YET_VALID: ['the certificate is not valid yet', 'Correct the clock of this machine, or wait.'],
  CERT_REVOKED: ['the certificate is revoked', 'Get a new one.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'the certificate is for another name',
    'Get one for this host, or correct the address.',
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  EPROTO: NO_TLS,
  [LOOKUP_TIMEOUT]: ['', 'Check the host name, and the name servers of this machine.'],
  [TOO_MANY_REQUESTS]: ['', 'Find out why the documents of this server lead to so many URLs.'],
  [ADDRESS_REFUSED]: [
    '',
    'Use an address that clients on the internet can reach, or run the doctor in the network of the server.',
  ],
  [UNREADABLE_ENCODING]: ['', 'Send it without compression to clients that ask for none.'],
};

/** Explains why a connection brought no answer, and what to do. */
export function explainConnection(error: FetchError): { seen: string; fix: string } {
  const { code = '', message, answered, advice } = error;
  if (answered && code !== UNREADABLE_ENCODING) return { seen: `the answer broke off (${message})`, fix: CLOSED_FIX };
  const [text, ownFix] = CONNECTIONS[code] ?? ['', OTHER_CONNECTION_FIX(code)];
  const seen = text === '' ? message : `${text} (${code})`;
  return { seen, fix: advice === undefined ? ownFix : `${advice}. ${ownFix}` };
}

/** The warning for one request without an answer, while others are answered. */
export function unansweredFinding(report: StepReporter, what: string, error: FetchError, affects: string): Finding {
  const { seen, fix } = explainConnection(error);
  return report.warning(`${what}: ${seen}`, affects, fix);
}

const RPC_FIX: Fix = {
  code: 'If it is about the token, answer 401 with WWW-Authenticate, as mcpAuth() does. Otherwise check the log of the MCP server.',
  file: 'If it is about the token, find out what answers instead of the gateway, which answers 401. Otherwise check the log of the MCP server.',
};

/**
 * The warning for a JSON-RPC error where a result or a 401 was expected; undefined for any other answer. It may be about the token, or about
 * something else.
 */
export function rpcErrorFinding(
  report: StepReporter,
  what: string,
  answer: ProbeResponse,
  affects: string,
): Finding | undefined {
  const error = rpcErrorIn(answer);
  if (error === undefined || answer.status >= 300) return undefined;
  return report.warning(`${what}${answer.status} with the JSON-RPC error ${error}`, affects, RPC_FIX);
}

const OTHER_CONNECTION_FIX = (code: string): string =>
  code.startsWith('HPE_') ? 'Find out what listens there: it does not speak HTTP/1.1.' : NETWORK_FIX;
