import { printable } from '../../core/printable.js';
import type { ConfigNode, PaddedVariable } from './config-node.js';

/** The environment that a file may name variables of. */
export type EnvironmentVariables = Readonly<Record<string, string | undefined>>;

/** `$$`, `${…}` or `$NAME`. Any other dollar stays: regular expressions end in it. */
export const VARIABLE = /\$(?:\$|\{([^}]*)\}|([A-Za-z_]\w*))/g;

/** The inside of `${NAME}` or `${NAME:-default}`. */
const BRACED = /^([A-Za-z_]\w*)(?::-([^${]*))?$/;

/** Texts with their variables replaced. */
export class ExpandedTexts {
  readonly #environment: EnvironmentVariables;
  readonly #paths = new Set<string>();
  readonly #padded = new Map<string, PaddedVariable>();
  readonly #values = new Map<string, string>();

  constructor(environment: EnvironmentVariables) {
    this.#environment = environment;
  }

  /** True for the path of a text that has variables. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** The variable of the text at this path whose value has white space at an end, if there is one. */
  paddedAt(path: string): PaddedVariable | undefined {
    return this.#padded.get(path);
  }

  /** Replaces the variables of a text. Refuses one that is not set, since an empty secret or address is never meant. */
  expand(node: ConfigNode, text: string): string {
    return text.replace(VARIABLE, (written, braced?: string, plain?: string) => {
      if (written === '$$') return '$';
      this.#paths.add(node.path);
      const [, name, fallback] = plain === undefined ? (BRACED.exec(braced ?? '') ?? []) : ['', plain];
      if (name === undefined)
        return node.refuse(`has ${written}: write \${NAME} or \${NAME:-default}, or $$ for a dollar`);
      const value = this.#valueOf(node, name, fallback);
      if (value !== value.trim()) this.#padded.set(node.path, { name, value });
      return value;
    });
  }

  /** Replaces the values of variables in a message by their names: they may be secrets. */
  conceal(message: string): string {
    // Messages quote many values as JSON does, with a backslash before a quote, and others without the line end of a secret.
    const written = [...this.#values].flatMap(([value, name]) =>
      [value, JSON.stringify(value).slice(1, -1), printable(value, Number.POSITIVE_INFINITY), value.trim()]
        .filter((text) => text.length >= MIN_SECRET)
        .map((text) => [text, name] as const),
    );
    const longestFirst = written.sort(([a], [b]) => b.length - a.length);
    return longestFirst.reduce((text, [value, name]) => text.replaceAll(value, () => `$${name}`), message);
  }

  #valueOf(node: ConfigNode, name: string, fallback: string | undefined): string {
    const value = this.#environment[name];
    if (value === undefined || (value === '' && fallback !== undefined)) {
      return (
        fallback ??
        node.refuse(`names $${name}, but this environment variable is not set: set it, or write \${${name}:-default}`)
      );
    }
    if (value.length >= MIN_SECRET) this.#values.set(value, name);
    return value;
  }
}

/** A shorter value is not a secret, and may occur in any message. */
const MIN_SECRET = 6;
