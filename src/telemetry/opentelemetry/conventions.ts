import type { IncomingMessage } from 'node:http';
import type { Attributes } from '@opentelemetry/api';
import { isRecord } from '../../http/json-object.js';
import { plainAddress } from '../../http/plain-address.js';
import { METHODS, targetNoun } from '../../messages/mcp-call.js';
import { FIRST_STATELESS_REVISION, SESSION_REVISIONS, VERSION_KEY } from '../../messages/revision.js';
import type { CallRecord } from '../call-record.js';
import type { CallStart } from '../call-tracer.js';
import { listedName, OTHER } from '../listed-names.js';
import { errorTypeOf } from '../observed-call.js';

// The names are those of OpenTelemetry's semantic conventions for MCP (open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md).

/** The value that the conventions give for everything that is not known (`error.type`). */
const OTHER_VALUE = '_OTHER';

/** Characters of an attribute: clients choose names. */
const MAX_TEXT = 1_024;

/** The attribute that has the name, by what a method names. A task has none. */
const NAME_ATTRIBUTES = {
  tool: 'gen_ai.tool.name',
  prompt: 'gen_ai.prompt.name',
  resource: 'mcp.resource.uri',
} as const;

type Called = Pick<CallRecord, 'method' | 'name'>;

/** The name of a span: the method, and the tool or prompt if an MCP server has listed it. Clients choose all other names. */
export function spanName({ method, name }: Called, route: string): string {
  const known = knownMethod(method);
  const noun = targetNoun(method);
  const listed = noun === 'tool' || noun === 'prompt' ? listedName({ route, method, name }) : undefined;
  return listed === undefined || listed === OTHER ? known : `${known} ${listed}`;
}

/** The attributes of every span of a call. */
export function spanAttributes({ method, name }: Called): Attributes {
  const attributes: Attributes = { 'mcp.method.name': cut(method) };
  const attribute = nameAttribute(method);
  if (attribute !== undefined && name !== undefined) attributes[attribute] = cut(name);
  if (method === 'tools/call') attributes['gen_ai.operation.name'] = 'execute_tool';
  return attributes;
}

/** The attributes of metrics of a call: its method and name, if they are known. Clients cannot add values. */
export function metricAttributes({ method, name }: Called, route: string): Attributes {
  const attributes: Attributes = { 'mcp.method.name': knownMethod(method) };
  const attribute = nameAttribute(method);
  const known = listedName({ route, method, name });
  if (attribute !== undefined && attribute !== 'mcp.resource.uri' && known !== undefined) attributes[attribute] = known;
  if (method === 'tools/call') attributes['gen_ai.operation.name'] = 'execute_tool';
  return attributes;
}

/** The attributes of the connection on which a call arrived. */
export function transportAttributes({ params }: CallStart, req: IncomingMessage): Attributes {
  const attributes: Attributes = {
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    'network.protocol.version': req.httpVersion.replace(/\.0$/, (end) => (req.httpVersionMajor > 1 ? '' : end)),
  };
  const version = protocolVersion(params, req);
  if (version !== undefined) attributes['mcp.protocol.version'] = version;
  return attributes;
}

/** The attributes of a session. An MCP server chooses the revision. */
export function sessionAttributes(revision: string | undefined): Attributes {
  return {
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
    ...(isKnownRevision(revision) && { 'mcp.protocol.version': revision }),
  };
}

/** The attributes of the client. Behind a proxy, Express knows the client's address (`req.ip`). */
export function clientAttributes(req: IncomingMessage): Attributes {
  const { remoteAddress, remotePort } = req.socket;
  const address = (req as { readonly ip?: string }).ip ?? remoteAddress;
  if (address === undefined) return {};
  const shown = { 'client.address': plainAddress(address) };
  return address !== remoteAddress || remotePort === undefined ? shown : { ...shown, 'client.port': remotePort };
}

/** The attribute with the id of a request. `key` is the id in the spelling of `keyOf()`. */
export function requestIdAttribute(key: string): Attributes {
  return { 'jsonrpc.request.id': cut(key.replace(/^"/, '')) };
}

/** The attributes that are known when a call has ended. */
export function endAttributes(record: CallRecord): Attributes {
  const { route, target, outcome, session, requestId } = record;
  return {
    ...errorAttributes(errorTypeOf(record)),
    'express_mcp_auth.route': cut(route),
    'express_mcp_auth.outcome': outcome,
    ...(target !== undefined && { 'express_mcp_auth.target': target }),
    ...(session !== undefined && { 'mcp.session.id': cut(session) }),
    ...(requestId !== undefined && { 'express_mcp_auth.request_id': cut(requestId) }),
  };
}

const JSON_RPC_CODE = /^-?\d+$/;
/** The codes that JSON-RPC reserves. MCP servers choose all others. */
const RESERVED_CODE = /^-32\d{3}$/;

export function errorAttributes(errorType: string | undefined): Attributes {
  if (errorType === undefined) return {};
  return JSON_RPC_CODE.test(errorType)
    ? { 'error.type': errorType, 'rpc.response.status_code': errorType }
    : { 'error.type': errorType };
}

/** The same for metrics. MCP servers cannot add values. */
export function boundedErrorAttributes(errorType: string | undefined): Attributes {
  const isOther = errorType !== undefined && JSON_RPC_CODE.test(errorType) && !RESERVED_CODE.test(errorType);
  return errorAttributes(isOther ? OTHER_VALUE : errorType);
}

function knownMethod(method: string): string {
  return METHODS.includes(method) ? method : OTHER_VALUE;
}

function nameAttribute(method: string) {
  const noun = targetNoun(method);
  return noun === undefined || noun === 'task' ? undefined : NAME_ATTRIBUTES[noun];
}

function protocolVersion(params: CallStart['params'], { headers }: IncomingMessage): string | undefined {
  const { _meta: meta, protocolVersion: asked } = params;
  const versions: readonly unknown[] = [isRecord(meta) && meta[VERSION_KEY], headers['mcp-protocol-version'], asked];
  return versions.find(isKnownRevision);
}

function isKnownRevision(version: unknown): version is string {
  return version === FIRST_STATELESS_REVISION || SESSION_REVISIONS.has(version as string);
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text;
}
