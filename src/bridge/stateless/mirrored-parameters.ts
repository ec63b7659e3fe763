import { isRecord } from '../../http/json-object.js';
import { lowerAscii } from '../../http/lower-ascii.js';
import { PARAMETER_PREFIX } from '../../messages/header-value.js';

/** One parameter of a tool that its calls repeat in a header (2026-07-28, Custom Headers from Tool Parameters). */
export interface MirroredParameter {
  /** The header's name, in lower case. */
  readonly header: string;
  readonly path: readonly string[];
}

// Deeper than the parameters of any real tool, and far from a stack overflow.
const MAX_LEVELS = 64;
/** Characters in the names that are remembered of one list. Each user's connection has a list. */
const MAX_LENGTH = 262_144;
/** The characters that take as much memory as the objects of one parameter. */
const OBJECTS_LENGTH = 64;

/** The tools of a list that have parameters which are repeated in headers. A server that marks too many does not fill the memory. */
export class MirroringTools {
  readonly #tools = new Map<string, readonly MirroredParameter[]>();
  #length = 0;

  get(tool: string): readonly MirroredParameter[] | undefined {
    return this.#tools.get(tool);
  }

  /** Adds a tool as `tools/list` describes it. Returns false if there is no room for its parameters, which are then not checked. */
  add({ name, inputSchema }: { readonly name?: unknown; readonly inputSchema?: unknown }): boolean {
    if (typeof name !== 'string') return true;
    const parameters: MirroredParameter[] = [];
    let length = this.#length + name.length;
    for (const parameter of mirroredIn(inputSchema, [])) {
      length += lengthOf(parameter);
      if (length > MAX_LENGTH) return false;
      parameters.push(parameter);
    }
    return this.#keep(name, parameters, length);
  }

  /** Adds those tools of an earlier list that this one lacks, for as long as there is room. */
  addMissing(earlier: MirroringTools): void {
    for (const [name, parameters] of earlier.#tools) {
      const length = parameters.reduce((sum, parameter) => sum + lengthOf(parameter), this.#length + name.length);
      if (!this.#tools.has(name) && !this.#keep(name, parameters, length)) return;
    }
  }

  #keep(name: string, parameters: readonly MirroredParameter[], length: number): boolean {
    if (parameters.length === 0) return true;
    if (length > MAX_LENGTH) return false;
    this.#tools.set(name, parameters);
    this.#length = length;
    return true;
  }
}

function lengthOf({ header, path }: MirroredParameter): number {
  return path.reduce((sum, name) => sum + name.length + 1, header.length + OBJECTS_LENGTH);
}

// Only parameters below `properties` count: a client ignores a tool whose schema marks others.
function* mirroredIn(schema: unknown, path: readonly string[]): Generator<MirroredParameter> {
  const { properties } = (schema ?? {}) as { properties?: Record<string, { 'x-mcp-header'?: unknown }> };
  if (!isRecord(properties) || path.length >= MAX_LEVELS) return;
  for (const [name, property] of Object.entries(properties)) {
    const mark = property?.['x-mcp-header'];
    const here = [...path, name];
    if (typeof mark === 'string') yield { header: PARAMETER_PREFIX + lowerAscii(mark), path: here };
    yield* mirroredIn(property, here);
  }
}
