import type { IncomingMessage } from 'node:http';
import { type AuthInfo, apiKeyOf } from '../core/auth-info.js';
import { lowerAscii } from '../http/lower-ascii.js';
import { plainAddress } from '../http/plain-address.js';
import { requestHost } from '../http/request-host.js';
import { rawPath, requestTarget } from '../http/request-target.js';
import { isPlainHost } from '../oauth/plain-host.js';
import type { CallVariables, RequestVariables, SourceVariables } from './expressions/call-variables.js';
import { type CelMap, toCelObject } from './expressions/cel-values.js';
import { ExpressionFault } from './expressions/evaluation.js';

/** The variables that all calls of a request share. */
export type SharedVariables = Omit<CallVariables, 'mcp'>;

/** Returns the variables of a request and its caller. Those of the request are built when an expression reads them. */
export function sharedVariablesOf(req: IncomingMessage, auth: AuthInfo | undefined): SharedVariables {
  const claims = auth && claimsOf(auth);
  const isApiKey = auth !== undefined && apiKeyOf(auth) !== undefined;
  return {
    jwt: isApiKey ? undefined : claims,
    apiKey: isApiKey ? claims : undefined,
    request: new HttpRequest(req),
    source: new Source(req),
  };
}

// Requests with the same token share one AuthInfo.
const known = new WeakMap<AuthInfo, CelMap>();

function claimsOf(auth: AuthInfo): CelMap {
  let claims = known.get(auth);
  if (claims === undefined) {
    claims = toCelObject(auth.payload);
    known.set(auth, claims);
  }
  return claims;
}

/** The members that Express adds to a request. They follow its setting `trust proxy`. */
interface ExpressRequest {
  readonly protocol?: string;
  readonly ip?: string;
}

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ['http', ':80'],
  ['https', ':443'],
]);

class HttpRequest implements RequestVariables {
  readonly #req: IncomingMessage;
  #headers: CelMap | undefined;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  get method(): string {
    return this.#req.method ?? '';
  }

  /** @throws {ExpressionFault} If readers may find different paths in the request target: a `deny` rule must deny it. */
  get pathAndQuery(): string {
    const target = requestTarget(this.#req);
    if (!target.startsWith('/') && target !== '*') throw new ExpressionFault('malformed_target');
    return target;
  }

  get path(): string {
    return rawPath(this.pathAndQuery);
  }

  get scheme(): string {
    const isEncrypted = (this.#req.socket as { encrypted?: boolean }).encrypted === true;
    return lowerAscii((this.#req as ExpressRequest).protocol ?? (isEncrypted ? 'https' : 'http'));
  }

  /** The host that the client asked for, without its port. */
  get host(): string {
    return this.#host().name;
  }

  get uri(): string {
    const { name, port } = this.#host();
    return `${this.scheme}://${name}${port === DEFAULT_PORTS.get(this.scheme) ? '' : port}${this.pathAndQuery}`;
  }

  /**
   * Capitals and a dot at the end do not matter in a host (RFC 9110, section 4.2.3; RFC 1034, section 3.1).
   *
   * @throws {ExpressionFault} If the request names no host, or one that readers may read differently: a `deny` rule must deny it.
   */
  #host(): { readonly name: string; readonly port: string } {
    const [, host = '', port = ''] = /^(.*?)(?::0*(\d*))?$/.exec(lowerAscii(requestHost(this.#req))) ?? [];
    const name = host.replace(/\.$/, '');
    if (!isPlainHost(name)) throw new ExpressionFault('malformed_host');
    return { name, port: port === '' ? '' : `:${port}` };
  }

  get version(): string {
    return `HTTP/${this.#req.httpVersion}`;
  }

  /** As the application sees them: a middleware may have changed them. Several values of one header are joined by commas. */
  get headers(): CelMap {
    if (this.#headers !== undefined) return this.#headers;
    const { headers } = this.#req;
    const map = new Map<string, unknown>();
    for (const name of Object.keys(headers)) map.set(name, headers[name]);
    this.#headers = map;
    return map;
  }
}

class Source implements SourceVariables {
  readonly #req: IncomingMessage;

  constructor(req: IncomingMessage) {
    this.#req = req;
  }

  /** Without the IPv6 form of an IPv4 address, which no range of IPv4 contains. */
  get address(): string | undefined {
    const address = (this.#req as ExpressRequest).ip ?? this.#req.socket.remoteAddress;
    return address === undefined ? undefined : plainAddress(address);
  }

  get port(): bigint | undefined {
    const { remotePort } = this.#req.socket;
    return remotePort === undefined ? undefined : BigInt(remotePort);
  }
}
