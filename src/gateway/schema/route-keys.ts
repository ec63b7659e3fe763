import { ANY_TEXT, listOf, type Members, membersOf, TEXT, TEXTS, textOfForm } from '../../options/value-type.js';
import { BACKEND_POLICIES, ROUTE_POLICIES } from './policy-keys.js';
import { MCP_SERVERS } from './target-keys.js';
import { COUNT, NAMES, NAMESPACE } from './value-forms.js';

const REGEX = textOfForm('regular expression');

export const PATH_MATCH = {
  exact: { type: TEXT },
  pathPrefix: { type: TEXT },
  regex: { type: REGEX },
} as const satisfies Members;

export const VALUE = { exact: { type: ANY_TEXT }, regex: { type: REGEX } } as const satisfies Members;

export const VALUE_MATCH = {
  name: { type: TEXT, isRequired: true },
  value: { type: membersOf('value', VALUE), isRequired: true },
} as const satisfies Members;

const VALUES = listOf(membersOf('value match', VALUE_MATCH));

export const MATCH = {
  path: { type: membersOf('path match', PATH_MATCH), otherwise: 'every path' },
  method: { type: TEXT, otherwise: 'every method' },
  headers: { type: VALUES, default: [] },
  query: { type: VALUES, default: [] },
} as const satisfies Members;

export const ROUTE_BACKEND = {
  mcp: { type: membersOf('servers', MCP_SERVERS) },
  backend: { type: TEXT },
  weight: { type: COUNT, otherwise: 'not used here' },
  policies: { type: membersOf('backend policies', BACKEND_POLICIES) },
} as const satisfies Members;

/** The keys that a route has in every form of the file. */
export const ROUTE = {
  name: { type: TEXT, otherwise: '`route0`, …' },
  namespace: NAMESPACE,
  ruleName: { type: TEXT, otherwise: 'not used here' },
  hostnames: { type: TEXTS, otherwise: 'those of the listener' },
  matches: { type: listOf(membersOf('match', MATCH), 1), otherwise: 'every request' },
  policies: { type: membersOf('policies', ROUTE_POLICIES) },
  backends: { type: listOf(membersOf('route backend', ROUTE_BACKEND), 1) },
} as const satisfies Members;

/** A route of the section `routes`. */
export const ATTACHED_ROUTE = { gateways: { type: NAMES, default: 'default' }, ...ROUTE } as const satisfies Members;
