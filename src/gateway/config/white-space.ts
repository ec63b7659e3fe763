import { isRecord } from '../../http/json-object.js';
import { ANY, type MembersType, type ValueType } from '../../options/value-type.js';
import { WHOLE_FILE } from '../schema/mappings.js';
import type { ConfigNode } from './config-node.js';

/** CEL ignores white space around an expression, and a YAML block ends with a line break. The value of a variable is within quotes there. */
const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  rule: ['allow', 'deny', 'require'],
  authorization: ['rules'],
  mcpAuthorization: ['rules'],
  'github login': ['allow'],
  'google login': ['allow'],
  'gitlab login': ['allow'],
  'oauth2 login': ['allow'],
  'frontendPolicies.accessLog': ['filter', 'add'],
  'frontendPolicies.tracing': ['attributes', 'resources', 'filter', 'randomSampling', 'clientSampling'],
  'config.tracing': ['randomSampling', 'clientSampling'],
  'config.tracing.fields': ['add'],
};

/** Texts that are passed on, and URLs and keys in JSON and PEM, whose readers ignore line ends. */
const ANY_WHITE_SPACE: Readonly<Record<string, readonly string[]>> = {
  stdio: ['args', 'env'],
  remote: ['host'],
  directResponse: ['body'],
  serverInfo: ['name', 'version', '*'],
  'header of a token': ['prefix'],
  'credential header': ['prefix'],
  mcpAuthentication: ['jwks'],
  issuer: ['jwks'],
  jwtAuth: ['jwks'],
  'jwtAuth provider': ['jwks'],
  jwtSign: ['signingKey'],
  callerToken: ['key'],
};

/** A type, and where its texts may have white space. */
interface Place {
  readonly types: readonly ValueType[];
  readonly allowed: 'nowhere' | 'at its ends' | 'everywhere';
}

/**
 * Refuses white space at the ends of all texts of the file, except those in the two tables above: such a text would equal no issuer, key or
 * password. A variable whose value ends with a line break is the usual cause, so it is refused within a text too.
 */
export function refuseWhiteSpace(node: ConfigNode, place: Place = { types: [WHOLE_FILE], allowed: 'nowhere' }): void {
  const { value } = node;
  if (typeof value === 'string') refuseIn(node, value, place.allowed);
  else if (Array.isArray(value)) {
    const types = place.types.flatMap((type) => (type.kind === 'list' ? alternatives(type.of) : anyIn(type)));
    for (const item of node.items()) refuseWhiteSpace(item, { ...place, types });
  } else if (isRecord(value)) {
    for (const [key, member] of node.children()) refuseWhiteSpace(member, memberOf(place, key));
  }
}

function memberOf({ types, allowed }: Place, key: string): Place {
  const places = types.map((type) => {
    if (type.kind === 'members') return placeOf(type, key, allowed);
    return { types: type.kind === 'record' ? alternatives(type.of) : anyIn(type), allowed };
  });
  // A key that no table has is refused when its mapping is read.
  return places.find((place) => place.types.length > 0) ?? { types: [], allowed: 'everywhere' };
}

function placeOf({ name, members, others }: MembersType, key: string, allowed: Place['allowed']): Place {
  const isOther = !Object.hasOwn(members, key) && others?.pattern.test(key) === true;
  const type = isOther ? others.type : Object.hasOwn(members, key) ? members[key]?.type : undefined;
  const row = isOther ? '*' : key;
  const inTable = ANY_WHITE_SPACE[name]?.includes(row)
    ? 'everywhere'
    : EXPRESSIONS[name]?.includes(row)
      ? 'at its ends'
      : allowed;
  return { types: type === undefined ? [] : alternatives(type), allowed: inTable };
}

function alternatives(type: ValueType): readonly ValueType[] {
  return type.kind === 'either' ? type.types : [type];
}

/** A value of any type may have values of any type in it. */
function anyIn(type: ValueType): readonly ValueType[] {
  return type.kind === 'any' ? [ANY] : [];
}

function refuseIn(node: ConfigNode, text: string, allowed: Place['allowed']): void {
  if (allowed === 'everywhere') return;
  const padded = node.paddedVariable;
  if (padded !== undefined) {
    const what = describeEnds(padded.value);
    node.refuse(
      `has $${padded.name}, whose value ${what}, which would count as a part of the text: set the variable without it`,
    );
  }
  const what = describeEnds(text);
  if (what !== undefined && allowed === 'nowhere')
    node.refuse(`${what}, which would count as a part of the text: remove it`);
}

/** Says which white space is at an end of a text. Undefined if there is none. */
function describeEnds(text: string): string | undefined {
  const [start = '', end = ''] = [/^\s+/, /\s+$/].map((ends) => ends.exec(text)?.[0]);
  if (end !== '') return `ends with ${describeSpace(end)}`;
  return start === '' ? undefined : `begins with ${describeSpace(start)}`;
}

function describeSpace(space: string): string {
  return /[\r\n]/.test(space) ? 'a line break' : 'white space';
}
