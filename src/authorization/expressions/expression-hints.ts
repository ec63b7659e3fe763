import { nearestName } from '../../options/checks.js';
import { PROFILE, ROOTS, VARIABLES } from './call-variables.js';

/** Operators by what other languages write in their place. */
const OPERATORS: Readonly<Record<string, string>> = {
  and: '&&',
  or: '||',
  '&': '&&',
  '|': '||',
  '=': '==',
  '=~': 'text.matches("…")',
  '=>': 'exists(role, role == "admin")',
};

/** Functions by names of other languages. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  includes: 'contains',
  match: 'matches',
  some: 'exists',
  any: 'exists',
  every: 'all',
  length: 'size',
  len: 'size',
  toLowerCase: 'lowerAscii',
  toUpperCase: 'upperAscii',
  replaceAll: 'replace',
  trimPrefix: 'stripPrefix',
  removePrefix: 'stripPrefix',
  trimSuffix: 'stripSuffix',
  removeSuffix: 'stripSuffix',
  atob: 'base64Decode',
  ifNull: 'coalesce',
};

/** Functions of CEL's strings extension that the library does not have. Other gateways have them. */
const MISSING_FUNCTIONS: readonly string[] = ['charAt', 'format', 'quote', 'reverse'];

/** Functions that follow a value and a dot. */
const METHODS = [
  'contains',
  'startsWith',
  'endsWith',
  'matches',
  'exists',
  'all',
  'filter',
  'map',
  'containsIP',
  'stripPrefix',
  'stripSuffix',
  'replace',
];

/** Variables by names of other languages for rules. */
const VARIABLE_NAMES: Readonly<Record<string, string>> = {
  claims: 'jwt',
  token: 'jwt',
  auth: 'jwt',
  user: 'jwt',
  scope: 'jwt.scope',
  scopes: 'jwt.scope',
  args: 'mcp.tool.arguments',
  params: 'mcp.tool.arguments',
  ip: 'source.address',
};

/** Variables of agentgateway that have the answers of other servers, by the policies that ask these. */
const POLICY_VARIABLES: Readonly<Record<string, string>> = {
  extauthz: 'extAuthz',
  extproc: 'extProc',
  mcpGuardrails: 'mcpGuardrails',
  basicAuth: 'basicAuth',
};

/** The place of an error: the expression before and after it. */
interface Place {
  readonly before: string;
  readonly after: string;
}

type Advise = (found: RegExpExecArray, place: Place) => string | undefined;

/** Messages of the library, and functions that say what to write instead. */
const HINTS: readonly (readonly [message: RegExp, advise: Advise])[] = [
  [/^Unexpected character: '?(.)/u, adviseOnCharacter],
  [/^Unknown variable: (\w+)/, ([, name = '']) => adviseOnVariable(name)],
  [/^found no matching overload for '([^'(]*\.)?(\w+)\(/, adviseOnFunction],
  [/^no such overload: .* [!=]= null$/, () => 'to ask if a member exists, write has(…)'],
  [/^has\(\) invalid argument$/, () => 'write names with dots: has(jwt.role)'],
];

/** Returns a message of the library, with what to write instead if that is known. */
export function explainError(message: string, text: string, position: number): string {
  const place = { before: text.slice(0, position), after: text.slice(position) };
  const described = nameWord(message, place);
  for (const [pattern, advise] of HINTS) {
    const found = pattern.exec(message);
    const hint = found && advise(found, place);
    if (hint) return `${described}; ${hint}`;
  }
  return described;
}

/** The library names the last character of a word that it does not expect. */
function nameWord(message: string, { after }: Place): string {
  const word = /^\w+/.exec(after)?.[0];
  return /^Unexpected character: '?\w/.test(message) && word !== undefined ? `Unexpected word: ${word}` : message;
}

function adviseOnCharacter([, character = '']: RegExpExecArray, { before, after }: Place): string | undefined {
  if (/[“”„‘’]/u.test(character)) return 'write straight quotes';
  if (/\bnot[ \t\n]+$/.test(before)) return 'write ! instead of not';
  const word = /^(?:\w+|=[~>])/.exec(after)?.[0] ?? character;
  if (Object.hasOwn(OPERATORS, word)) return `write ${OPERATORS[word]}`;
  return METHODS.includes(word) ? `write .${word}(…)` : undefined;
}

function adviseOnVariable(name: string): string {
  // A rule about calls has no profile, and a rule about logins has hints of its own.
  const roots = [...ROOTS.keys()].filter((root) => root !== PROFILE);
  const variable = Object.hasOwn(VARIABLE_NAMES, name) ? VARIABLE_NAMES[name] : variableWith(name);
  const known = `variables begin with ${roots.slice(0, -1).join(', ')} or ${roots.at(-1)}`;
  if (Object.hasOwn(POLICY_VARIABLES, name))
    return `it comes from agentgateway's ${POLICY_VARIABLES[name]}, which is not supported here. Remove it: ${known}`;
  const meant = variable ?? (name.length > 2 ? nearestName(name, roots) : undefined);
  return meant === undefined ? `${known}, and a text needs quotes` : `write ${meant}, or quotes if it is a text`;
}

/** Returns the first variable that has this name on its path, up to the name: `mcp.tool` for `tool`. */
function variableWith(name: string): string | undefined {
  const paths = [...VARIABLES.keys()].map((path) => path.split('.'));
  const found = paths.find((path) => path.includes(name));
  return found?.slice(0, found.indexOf(name) + 1).join('.');
}

function adviseOnFunction([, receiver, name = '']: RegExpExecArray): string | undefined {
  if (MISSING_FUNCTIONS.includes(name)) return `rules have no function ${name}`;
  const known = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : nearestName(name, METHODS, 2);
  // The name is right, so the types are wrong, or the value must come first.
  if (known === name) return receiver === undefined ? `write value.${name}(…)` : undefined;
  return known && `write ${known}(…)`;
}
