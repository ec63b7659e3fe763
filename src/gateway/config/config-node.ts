import { isRecord } from '../../http/json-object.js';
import { nearestName } from '../../options/checks.js';
import { otherNameFor, writeAs } from '../../options/other-names.js';
import type { Members } from '../../options/value-type.js';
import { StartupError } from '../startup-error.js';

/** A feature of agentgateway that is not supported here. */
export interface UnsupportedFeature {
  /** The reason, and what to use instead: a sentence that follows "is not supported: ". */
  readonly why: string;
  /** True if `--ignore` may leave it out: nothing becomes reachable that the file would protect. */
  readonly canIgnore: boolean;
}

/** A variable whose value has white space at an end. */
export interface PaddedVariable {
  readonly name: string;
  readonly value: string;
}

/** The facts about a file that its values need. */
export interface FileContext {
  /** True for the path of a text that is written with a variable. */
  isFromVariable(path: string): boolean;
  /** The variable of the text at this path whose value has white space at an end, if there is one. */
  paddedVariable(path: string): PaddedVariable | undefined;
  /** True if the user gave this name to `--ignore`. */
  ignores(name: string): boolean;
}

const NO_CONTEXT: FileContext = {
  isFromVariable: () => false,
  paddedVariable: () => undefined,
  ignores: () => false,
};

/** Names that a mapping does not have. */
interface OtherKeys {
  /** Names of agentgateway that are not supported here. They are not taken for misspellings of those that are. */
  readonly unsupportedNames?: readonly string[];
  /** More such names, each with the reason. */
  readonly unsupported?: ReadonlyMap<string, UnsupportedFeature>;
  /** Names that belong to another place of the file, with advice. */
  readonly elsewhere?: ReadonlyMap<string, string>;
}

type NodesOf<Table extends Members> = {
  readonly [Key in keyof Table as Table[Key] extends { isRequired: true } ? Key : never]: ConfigNode;
} & {
  readonly [Key in keyof Table as Table[Key] extends { isRequired: true } ? never : Key]?: ConfigNode;
};

/** A value in the configuration file, with its place there, which every error message names. */
export class ConfigNode {
  readonly value: unknown;
  /** For example `binds[0].listeners[0].routes`; the empty string for the whole document. */
  readonly path: string;
  readonly #context: FileContext;

  constructor(value: unknown, path = '', context = NO_CONTEXT) {
    this.value = value;
    this.path = path;
    this.#context = context;
  }

  /** True for a text that is written with a variable. */
  get isFromVariable(): boolean {
    return this.#context.isFromVariable(this.path);
  }

  /** The variable of this text whose value has white space at an end, if there is one. */
  get paddedVariable(): PaddedVariable | undefined {
    return this.#context.paddedVariable(this.path);
  }

  /** The same place with another value. */
  withValue(value: unknown): ConfigNode {
    return new ConfigNode(value, this.path, this.#context);
  }

  /** True if the user gave this name to `--ignore`. */
  isIgnored(name: string): boolean {
    return this.#context.ignores(name);
  }

  refuse(problem: string): never {
    throw new StartupError(`${this.path || 'the document'} ${problem}`);
  }

  /** The members of this mapping. Refuses a key that the table does not have: it would have no effect. */
  members<const Table extends Members>(table: Table, others: OtherKeys = {}): NodesOf<Table> {
    const { unsupportedNames = [], unsupported, elsewhere } = others;
    const known = Object.keys(table);
    const members: Record<string, ConfigNode> = {};
    for (const [key, member] of this.children()) {
      const out = unsupported?.get(key);
      if (known.includes(key)) members[key] = member;
      else if (out !== undefined) member.#leaveOut(key, out, this.#ignorable(known, unsupported));
      else member.refuse(`is not supported. ${elsewhere?.get(key) ?? suggestion(key, known, unsupportedNames)}`);
    }
    for (const [key, { isRequired }] of Object.entries(table)) {
      if (isRequired) members[key] ??= this.#member(key, undefined).refuse('is missing');
    }
    return members as NodesOf<Table>;
  }

  /** The value for a message, unless it may be a secret. */
  #described(): string {
    const isSecret = typeof this.value === 'string' && this.#context.isFromVariable(this.path);
    return isSecret ? 'another value, from a variable' : describe(this.value);
  }

  /** @param ignorable The names beside it that `--ignore` may leave out too. */
  #leaveOut(name: string, { why, canIgnore }: UnsupportedFeature, ignorable: readonly string[]): void {
    if (canIgnore && this.#context.ignores(name)) return;
    const others = ignorable.filter((other) => other !== name);
    const what = others.length > 0 ? `it and ${others.join(', ')}` : 'it';
    const without = canIgnore ? ` Or start without ${what}: --ignore ${[name, ...others].join(',')}.` : '';
    this.refuse(`is not supported: ${why}.${without}`);
  }

  /** The keys of this mapping that `--ignore` may leave out, and that the user has not named there. */
  #ignorable(known: readonly string[], unsupported: OtherKeys['unsupported']): readonly string[] {
    const keys = Object.keys(this.mapping()).filter((key) => !known.includes(key) && unsupported?.get(key)?.canIgnore);
    return keys.filter((key) => !this.#context.ignores(key));
  }

  mapping(): Readonly<Record<string, unknown>> {
    return isRecord(this.value) ? this.value : this.refuse(`must be a mapping, but is ${this.#described()}`);
  }

  items(): readonly ConfigNode[] {
    if (!Array.isArray(this.value)) this.refuse(`must be a list, but is ${this.#described()}`);
    return this.value.map((item, index) => new ConfigNode(item, `${this.path}[${index}]`, this.#context));
  }

  /** The items of a list that must not be empty. */
  someItems(): readonly ConfigNode[] {
    const items = this.items();
    return items.length > 0 ? items : this.refuse('must have at least one item, but is empty');
  }

  onlyItem(): ConfigNode {
    const [item, ...more] = this.someItems();
    return item !== undefined && more.length === 0
      ? item
      : this.refuse(`must have exactly one item, but has ${more.length + 1}`);
  }

  text(): string {
    const { value } = this;
    if (typeof value === 'string' && value !== '') return value;
    // The message does not repeat the value: it may be a secret for the child process.
    if (typeof value === 'number' || typeof value === 'boolean')
      this.refuse(`must be text: put the ${typeof value} in quotes`);
    return this.refuse(`must be text, but is ${this.#described()}`);
  }

  texts(): readonly string[] {
    return this.items().map((item) => item.text());
  }

  flag(): boolean {
    const value = this.option();
    return typeof value === 'boolean' ? value : this.refuse(`must be true or false, but is ${this.#described()}`);
  }

  port(): number {
    const value = this.option();
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535
      ? value
      : this.refuse(`must be a port number (0 to 65535), but is ${this.#described()}`);
  }

  /** A whole number of at least 1. */
  count(): number {
    const value = this.option();
    return Number.isSafeInteger(value) && (value as number) >= 1
      ? (value as number)
      : this.refuse(`must be a whole number of at least 1, but is ${this.#described()}`);
  }

  /** The value, of any type. The value of a variable is text; it is converted if it is a number, `true` or `false`. */
  option(): unknown {
    const { value } = this;
    if (typeof value !== 'string' || !this.#context.isFromVariable(this.path)) return value;
    if (/^\d{1,15}$/.test(value)) return Number(value);
    return value === 'true' || value === 'false' ? value === 'true' : value;
  }

  /** One of these words. */
  word<const W extends string>(words: readonly W[]): W {
    const found = words.find((word) => word === this.value);
    return found ?? this.refuse(`must be one of ${words.join(', ')}, but is ${this.#described()}`);
  }

  /** Every member of a mapping whose keys the user chooses, such as `env`. */
  children(): ReadonlyArray<readonly [string, ConfigNode]> {
    return Object.entries(this.mapping()).map(([key, value]) => [key, this.#member(key, value)]);
  }

  #member(key: string, value: unknown): ConfigNode {
    const step = /^[A-Za-z_$][\w$-]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    const path = this.path === '' ? step.replace(/^\./, '') : `${this.path}${step}`;
    return new ConfigNode(value, path, this.#context);
  }
}

function suggestion(key: string, known: readonly string[], unsupportedNames: readonly string[]): string {
  if (unsupportedNames.includes(key)) return `Supported here: ${known.join(', ')}.`;
  const other = otherNameFor(key, known);
  if (other !== undefined) return writeAs(other);
  const near = nearestName(key, known);
  return near === undefined ? `Supported here: ${known.join(', ')}.` : `Did you mean "${near}"?`;
}

function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value);
}
