import type { ValueExpression } from '../../authorization/expressions/value-expression.js';
import { canParseUrl } from '../../http/can-parse-url.js';
import { OTLP_PROTOCOLS, PROCESS_TRACING, TRACING, TRACING_FIELDS } from '../schema/frontend-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { readValueExpression } from './read-value-expression.js';
import { protective } from './unsupported-features.js';

/** The part of the calls that get spans: a share from 0 to 1, or an expression with a share or a truth value. */
export type Sampling = number | ValueExpression;

/** The collector that gets the spans of calls, and the content of the spans. */
export interface TracingConfig {
  readonly protocol: (typeof OTLP_PROTOCOLS)[number];
  /** The address of the collector; with the path if the protocol is `http`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Attributes of each span of a call that arrives, by name. */
  readonly attributes: ReadonlyArray<readonly [name: string, expression: ValueExpression]>;
  /** Attributes of the process. */
  readonly resources: ReadonlyArray<readonly [name: string, expression: ValueExpression]>;
  /** Names of attributes that spans do not get. */
  readonly removed: readonly string[];
  /** Only calls for which it is true get spans. */
  readonly filter?: ValueExpression;
  /** For calls whose client sends no trace. */
  readonly randomSampling: Sampling;
  /** For calls whose client sends a trace. */
  readonly clientSampling: Sampling;
  readonly at: string;
  /** The values of the file: equal if two versions of the file do the same. */
  readonly written: unknown;
}

// Neither can be ignored: the spans would not arrive.
const ADDRESS = protective('write host: ADDRESS:PORT, or config.tracing with an otlpEndpoint');

const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['service', ADDRESS],
  ['backend', ADDRESS],
  ['policies', protective('write config.tracing, with an otlpEndpoint of https:// and with headers')],
]);

/** Reads `frontendPolicies.tracing`. */
export function readTracing(node: ConfigNode): TracingConfig {
  const { host, attributes, resources, remove, filter, ...others } = node.members(TRACING, {
    unsupported: UNSUPPORTED,
  });
  const protocol = others.protocol?.word(OTLP_PROTOCOLS) ?? TRACING.protocol.default;
  return {
    protocol,
    url: withPath(`http://${readHost(host)}`, protocol, others.path),
    headers: {},
    attributes: readAttributes(attributes),
    resources: readResources(resources),
    removed: remove?.texts() ?? [],
    ...(filter && { filter: readCallExpression(filter) }),
    ...readSampling(others),
    at: node.path,
    written: node.value,
  };
}

/** Reads `config.tracing`. */
export function readProcessTracing(node: ConfigNode): TracingConfig {
  const { otlpEndpoint, otlpProtocol, headers, fields, ...others } = node.members(PROCESS_TRACING);
  const { add, remove } = fields?.members(TRACING_FIELDS) ?? {};
  const protocol = otlpProtocol?.word(OTLP_PROTOCOLS) ?? PROCESS_TRACING.otlpProtocol.default;
  return {
    protocol,
    url: withPath(readEndpoint(otlpEndpoint), protocol, others.path),
    headers: Object.fromEntries(headers?.children().map(([name, value]) => [name, readHeader(name, value)]) ?? []),
    attributes: readAttributes(add),
    resources: [],
    removed: remove?.texts() ?? [],
    ...readSampling(others),
    at: node.path,
    written: node.value,
  };
}

/** gRPC and HTTP send printable ASCII. The value is not quoted: it may be a token. */
function readHeader(name: string, node: ConfigNode): string {
  if (!/^[\w.-]+$/.test(name) || /-bin$/i.test(name)) node.refuse('does not have the name of a header with text');
  const text = node.text();
  return /^[ -~]*$/.test(text) ? text : node.refuse('must be one line of printable ASCII');
}

function readHost(node: ConfigNode): string {
  const host = node.text();
  const [, port] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(host) ?? [];
  return Number(port) <= 65_535
    ? host
    : node.refuse(`must be a host and a port, such as "localhost:4317", but is ${JSON.stringify(host)}`);
}

function readEndpoint(node: ConfigNode): string {
  const url = node.text();
  const { protocol, pathname, search, username } = canParseUrl(url) ? new URL(url) : ({} as Partial<URL>);
  if (/^https?:$/.test(protocol ?? '') && pathname === '/' && search === '' && username === '')
    return new URL(url).origin;
  // Not quoted: it may contain a password.
  return node.refuse('must be an address such as "http://localhost:4317", without a path, which is written in path');
}

/** gRPC has no path of its own. */
function withPath(origin: string, protocol: TracingConfig['protocol'], path: ConfigNode | undefined): string {
  if (protocol === 'grpc') return path ? path.refuse('needs protocol http: gRPC has no path') : origin;
  const text = path?.text() ?? TRACING.path.default;
  return /^\/[!-~]*$/.test(text) ? `${origin}${text}` : (path as ConfigNode).refuse('must begin with a slash');
}

function readAttributes(node: ConfigNode | undefined): TracingConfig['attributes'] {
  return node?.children().map(([name, value]) => [name, readCallExpression(value)] as const) ?? [];
}

/** Arguments may be secrets, and it is not known yet which target gets the call. */
function readCallExpression(node: ConfigNode): ValueExpression {
  const expression = readValueExpression(node);
  const other = [...expression.reads].find((variable) => /^mcp\.\w+\.(?:arguments|target)$/.test(variable));
  if (other?.endsWith('.arguments')) node.refuse(`reads ${other}: arguments of calls are in no trace. Remove it`);
  if (other) node.refuse(`reads ${other}: the spans of targets have their names. Remove it`);
  return expression;
}

function readResources(node: ConfigNode | undefined): TracingConfig['resources'] {
  return (
    node?.children().map(([name, value]) => {
      const expression = readValueExpression(value);
      const [variable] = expression.reads;
      return variable === undefined
        ? ([name, expression] as const)
        : value.refuse(`reads ${variable}: a resource describes the process, without a request. Write attributes`);
    }) ?? []
  );
}

interface SamplingNodes {
  readonly randomSampling?: ConfigNode;
  readonly clientSampling?: ConfigNode;
}

function readSampling({ randomSampling, clientSampling }: SamplingNodes) {
  return {
    randomSampling: randomSampling === undefined ? 0 : readShare(randomSampling),
    clientSampling: clientSampling === undefined ? 1 : readShare(clientSampling),
  };
}

function readShare(node: ConfigNode): Sampling {
  const value = node.option();
  if (typeof value === 'boolean') return value ? 1 : 0;
  const share = typeof value === 'string' && /^\d*\.?\d+$/.test(value) ? Number(value) : value;
  if (typeof share === 'string') return readCallExpression(node);
  return typeof share === 'number' && share >= 0 && share <= 1
    ? share
    : node.refuse(`must be true, false, a number from 0 to 1 or a CEL expression, but is ${JSON.stringify(value)}`);
}
