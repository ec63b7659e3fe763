import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { StartupError } from '../startup-error.js';
import { ConfigNode } from './config-node.js';

/** A document with more aliases is more likely a bomb than a configuration. */
const MAX_ALIASES = 100;

const STRICTLY = { prettyErrors: false, strict: true, uniqueKeys: true, stringKeys: true, resolveKnownTags: false };

/**
 * Parses one YAML document strictly: refuses duplicate keys, unknown tags, variables, and anything that the parser warns of.
 *
 * @throws {StartupError}
 */
export function parseYaml(text: string): ConfigNode {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...STRICTLY, lineCounter });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw yamlError(problem, lineCounter);

  const root = new ConfigNode(toValue(document));
  refuseVariables(root, []);
  return root;
}

function yamlError(problem: YAMLError, lineCounter: LineCounter): StartupError {
  const { line, col } = lineCounter.linePos(problem.pos[0]);
  const what = problem.code === 'MULTIPLE_DOCS' ? 'a second document begins here' : problem.message;
  return new StartupError(`line ${line}, column ${col} cannot be read as YAML: ${what}`, { cause: problem });
}

function toValue(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // An alias without an anchor and an alias bomb are found only here.
    throw new StartupError(`the document cannot be read as YAML: ${(error as Error).message}`, { cause: error });
  }
}

/** agentgateway replaces `$NAME` with an environment variable. This gateway does not, and a literal "$SECRET" is never meant. */
function refuseVariables(node: ConfigNode, within: readonly unknown[]): void {
  const { value } = node;
  if (typeof value === 'string') {
    const variable = /\$(?:\{[^}]*\}|[A-Za-z_]\w*)/.exec(value)?.[0];
    if (variable !== undefined) node.refuse(`has ${variable}, but variables are not expanded: write the value itself`);
  }
  if (typeof value !== 'object' || value === null) return;
  if (within.includes(value)) node.refuse('contains itself');
  const members = Array.isArray(value) ? node.items() : node.children().map(([, member]) => member);
  for (const member of members) refuseVariables(member, [...within, value]);
}
