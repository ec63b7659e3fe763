import type { IncomingMessage } from 'node:http';
import { lowerAscii } from '../../http/lower-ascii.js';
import { rawPath, rawQuery, requestTarget } from '../../http/request-target.js';
import { MATCH, VALUE, VALUE_MATCH } from '../schema/route-keys.js';
import type { ConfigNode } from './config-node.js';
import { EVERY_PATH, matchesPath, type PathMatch, readPathMatch } from './path-match.js';
import { type Pattern, readPattern } from './pattern.js';

/** The requests that one item of `matches` selects: all of its conditions hold. */
export interface RouteMatch {
  readonly path: PathMatch;
  readonly method?: string;
  readonly headers: readonly ValueMatch[];
  readonly query: readonly ValueMatch[];
  /** Its place in the file, for messages. */
  readonly at: string;
}

/** A header or parameter with this value, or one that a pattern matches as a whole. */
interface ValueMatch {
  readonly name: string;
  readonly value: string | Pattern;
}

/** The match of a route without `matches`. */
export function everyRequest(at: string): RouteMatch {
  return { path: EVERY_PATH, headers: [], query: [], at };
}

/** Reads an item of `matches`. */
export function readRouteMatch(node: ConfigNode): RouteMatch {
  const { path, method, headers, query } = node.members(MATCH);
  return {
    path: path ? readPathMatch(path) : EVERY_PATH,
    ...(method && { method: readMethod(method) }),
    headers: headers?.items().map((header) => readValueMatch(header, readHeaderName)) ?? [],
    query: query?.items().map((parameter) => readValueMatch(parameter, (name) => name.text())) ?? [],
    at: node.path,
  };
}

function readMethod(node: ConfigNode): string {
  const method = node.text();
  return /^[A-Z]+$/.test(method)
    ? method
    : node.refuse(`must be a method such as "POST", but is ${JSON.stringify(method)}`);
}

/** Node gives header names in lower case. */
function readHeaderName(node: ConfigNode): string {
  const name = node.text();
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name)
    ? lowerAscii(name)
    : node.refuse(`must be the name of a header, but is ${JSON.stringify(name)}`);
}

function readValueMatch(node: ConfigNode, readName: (name: ConfigNode) => string): ValueMatch {
  const { name, value } = node.members(VALUE_MATCH);
  const { exact, regex } = value.members(VALUE);
  if ((exact === undefined) === (regex === undefined)) value.refuse('must have either exact or regex');
  if (regex) return { name: readName(name), value: readPattern(regex) };
  return { name: readName(name), value: exact?.value === '' ? '' : (exact as ConfigNode).text() };
}

/** Returns the conditions of a match as a text: equal for two that select the same requests. */
export function conditionsOf({ at: _, ...conditions }: RouteMatch): string {
  return JSON.stringify(conditions);
}

/** The match in words, for messages. */
export function describeMatch({ path, method, headers, query }: RouteMatch): string {
  const more = [...headers, ...query].map(({ name }) => name);
  const conditions = [...(method === undefined ? [] : [method]), ...more];
  return `${path.kind} ${path.path || '/'}${conditions.length === 0 ? '' : ` with ${conditions.join(', ')}`}`;
}

/**
 * Creates the choice of a route, with agentgateway's priorities: an exact path comes before any prefix, and any prefix before any
 * regular expression, a longer one before a shorter one; then a match with a method, then the one with more headers, then with more parameters, then the first name.
 */
export function createRouteTable<T>(
  entries: Iterable<readonly [match: RouteMatch, name: string, value: T]>,
): (req: IncomingMessage) => T | undefined {
  const ordered = [...entries].sort(([a, nameA], [b, nameB]) => compareMatches(a, b) || compareText(nameA, nameB));
  return (req) => {
    const path = rawPath(requestTarget(req));
    return ordered.find(([match]) => matchesPath(match.path, path) && matchesRequest(match, req))?.[2];
  };
}

function compareMatches(a: RouteMatch, b: RouteMatch): number {
  return (
    RANKS[b.path.kind] - RANKS[a.path.kind] ||
    b.path.path.length - a.path.path.length ||
    Number(b.method !== undefined) - Number(a.method !== undefined) ||
    b.headers.length - a.headers.length ||
    b.query.length - a.query.length
  );
}

const RANKS = { exact: 2, pathPrefix: 1, regex: 0 } as const;

const compareText = (a: string, b: string) => Number(a > b) - Number(a < b);

function matchesRequest({ method, headers, query }: RouteMatch, req: IncomingMessage): boolean {
  if (method !== undefined && req.method !== method) return false;
  if (!headers.every(({ name, value }) => valuesOf(req, name).some((each) => matchesValue(value, each)))) return false;
  if (query.length === 0) return true;
  const parameters = new URLSearchParams(rawQuery(requestTarget(req)));
  return query.every(({ name, value }) => matchesValue(value, parameters.getAll(name).at(-1)));
}

function matchesValue(wanted: ValueMatch['value'], value: string | undefined): boolean {
  if (typeof wanted === 'string') return value === wanted;
  return value !== undefined && wanted.matches(value);
}

/** Each time that a request has a header, its value counts, as in agentgateway. */
function valuesOf(req: IncomingMessage, name: string): readonly string[] {
  return req.headersDistinct[name] ?? [];
}
