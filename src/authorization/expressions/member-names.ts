import { lowerAscii } from '../../http/lower-ascii.js';
import type { CelNode } from './cel-node.js';
import { ExpressionError } from './expression-error.js';
import { variableIn } from './variable-nodes.js';

const ARGUMENTS = 'mcp.tool.arguments';

/** Collects the names that an expression may read from arguments, or from something that may come from them. */
export class MemberNames {
  readonly #names = new Set<string>();
  /** The strings that the expression may compare with the name of an argument. */
  readonly #texts = new Set<string>();
  /** The strings that it compares with something else. */
  readonly #other = new Set<CelNode>();
  #readsAnyName = false;

  /** Notes a member that is read by its name. */
  note(object: CelNode, name: unknown): void {
    if (typeof name !== 'string') return;
    const { path, length = 0 } = variableIn(object) ?? {};
    if (path?.slice(0, length).join('.') === 'request.headers') requireLowerCase(name, object.pos);
    if (!isOther(object)) this.#names.add(name);
  }

  /** Notes that a member is read whose name is the value of a node. */
  noteKey(object: CelNode, key: CelNode): void {
    if (key.op === 'value') this.note(object, key.args);
    else this.noteAny(object);
  }

  /** Notes that names of members are read which the expression does not say: a macro goes through them. */
  noteAny(object: CelNode): void {
    if (object.op !== 'list' && !isOther(object)) this.#readsAnyName = true;
  }

  /** Notes that two values are compared. */
  noteComparison(left: CelNode, right: CelNode): void {
    for (const [one, other] of [
      [left, right],
      [right, left],
    ] as const) {
      if (isOther(one)) for (const node of other.op === 'list' ? other.args : [other]) this.#other.add(node);
    }
  }

  noteText(node: CelNode): void {
    if (typeof node.args === 'string' && !this.#other.has(node)) this.#texts.add(node.args);
  }

  /** Returns the names. If the expression reads members by names that it computes, each of its strings may be one. */
  namesFor(variables: ReadonlySet<string>): ReadonlySet<string> {
    const readsAny = this.#readsAnyName && variables.has(ARGUMENTS);
    return readsAny ? new Set([...this.#names, ...this.#texts]) : this.#names;
  }
}

/** True for a variable other than the arguments, and for what a function makes of it: `jwt.scope.split(" ")`. */
function isOther(node: CelNode): boolean {
  const { path, length } = variableIn(node) ?? {};
  if (path !== undefined) return path.slice(0, length).join('.') !== ARGUMENTS;
  if (node.op === '[]') return isOther(node.args[0]);
  return node.op === 'rcall' && node.meta.alternate === undefined && isOther(node.args[1]);
}

/** Node.js gives headers names in lower case, so that no other name is ever found. */
function requireLowerCase(header: string, position: number): void {
  const lower = lowerAscii(header);
  if (header !== lower)
    throw new ExpressionError(`names of headers are in lower case; write request.headers["${lower}"]`, position);
}
