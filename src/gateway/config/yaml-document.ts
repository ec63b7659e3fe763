import { LineCounter, parseDocument, type YAMLError } from 'yaml';
import { StartupError } from '../startup-error.js';
import { ConfigNode, type FileContext } from './config-node.js';
import type { ExpandedTexts } from './variables.js';

/** A document with more aliases is more likely a bomb than a configuration. */
const MAX_ALIASES = 100;

const STRICTLY = { prettyErrors: false, strict: true, uniqueKeys: true, stringKeys: true, resolveKnownTags: false };

/**
 * Parses one YAML document strictly: refuses duplicate keys, unknown tags, and anything that the parser warns of. Replaces variables in
 * values, and not in keys or comments.
 *
 * @throws {StartupError}
 */
export function parseYaml(
  text: string,
  texts: ExpandedTexts,
  ignores: FileContext['ignores'] = () => false,
): ConfigNode {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { ...STRICTLY, lineCounter });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw yamlError(problem, lineCounter);
  const { version } = document.directives?.yaml ?? {};
  // In other versions there are values that are not texts, lists or mappings, "yes" is true, and 010 is 8.
  if (version !== undefined && version !== '1.2')
    throw new StartupError(
      `the document is written in YAML ${version}: remove the line "%YAML ${version}", and check it as YAML 1.2`,
    );
  const value = expandAll(new ConfigNode(toValue(document)), texts, []);
  return new ConfigNode(value, '', {
    isFromVariable: (path) => texts.has(path),
    paddedVariable: (path) => texts.paddedAt(path),
    ignores,
  });
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

function expandAll(node: ConfigNode, texts: ExpandedTexts, within: readonly unknown[]): unknown {
  const { value } = node;
  if (typeof value === 'string') return texts.expand(node, value);
  if (typeof value !== 'object' || value === null) return value;
  if (within.includes(value)) node.refuse('contains itself');
  const expand = (member: ConfigNode) => expandAll(member, texts, [...within, value]);
  if (Array.isArray(value)) return node.items().map(expand);
  const members = node.children().map(([key, member]) => {
    // An ordinary key in YAML 1.2: what it should bring in would be missing without a word.
    if (key === '<<') member.refuse('is a merge key, which YAML 1.2 does not have: write its members here');
    return [key, expand(member)] as const;
  });
  return Object.fromEntries(members);
}
