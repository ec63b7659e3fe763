/** The type of a value that a configuration file can have. Documentation says it in words, and editors get it as a JSON Schema. */
export type ValueType =
  | TextType
  | { readonly kind: 'flag' }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'number'; readonly min: number; readonly max: number | undefined }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'list'; readonly of: ValueType; readonly min: number }
  | RecordType
  | MembersType
  | { readonly kind: 'either'; readonly types: readonly ValueType[] }
  | { readonly kind: 'any' };

interface TextType {
  readonly kind: 'text';
  /** A more exact word for it, such as "time". */
  readonly word: string;
  readonly min: 0 | 1;
  readonly pattern: RegExp | undefined;
}

/** A mapping whose keys the user chooses. */
interface RecordType {
  readonly kind: 'record';
  readonly of: ValueType;
}

/** A mapping whose keys are known. */
export interface MembersType {
  readonly kind: 'members';
  /** Says which mapping it is; unique. */
  readonly name: string;
  readonly members: Members;
  /** Other keys that it may have, and the type of their values. */
  readonly others: { readonly pattern: RegExp; readonly type: ValueType } | undefined;
}

/** The values that a user may write under one key. */
export interface Member {
  /** Undefined for what only code can give, such as a function. */
  readonly type?: ValueType;
  /** The value that is used if the key is left out, as a user would write it. */
  readonly default?: unknown;
  /** The default in words, if it is not a fixed value. */
  readonly otherwise?: string;
  readonly isRequired?: true;
  /** The check of an option, in a table of options. */
  readonly read?: unknown;
}

/** The keys of a mapping. A table of options is one too. */
export type Members = Readonly<Record<string, Member>>;

/** A text that is not empty. */
export const TEXT: ValueType = { kind: 'text', word: 'text', min: 1, pattern: undefined };

/** A text that may be empty. */
export const ANY_TEXT: ValueType = { kind: 'text', word: 'text', min: 0, pattern: undefined };

export const TEXTS: ValueType = listOf(TEXT);
export const FLAG: ValueType = { kind: 'flag' };
export const ANY: ValueType = { kind: 'any' };
export const ANY_MAPPING: ValueType = recordOf(ANY);

/** Only `true`, or only `false`. */
export function constant(value: boolean): ValueType {
  return { kind: 'constant', value };
}

/** A text of this form. */
export function textOfForm(word: string, pattern?: RegExp): ValueType {
  return { kind: 'text', word, min: 1, pattern };
}

export const FILE_NAME = textOfForm('file name');

/** `{ file: NAME }`, in place of a secret. */
export const IN_FILE = { file: { type: FILE_NAME, isRequired: true } } as const;

/** A secret, or the file that contains it. Code gives the secret itself. */
export const SECRET = either(TEXT, membersOf('file', IN_FILE));

/** One secret, or a list. */
export const SECRETS = either(SECRET, listOf(SECRET));

export function numberFrom(min: number, max?: number): ValueType {
  return { kind: 'number', min, max };
}

export function oneOfWords(words: readonly string[]): ValueType {
  return { kind: 'words', words };
}

export function listOf(of: ValueType, min = 0): ValueType {
  return { kind: 'list', of, min };
}

export function recordOf(of: ValueType): ValueType {
  return { kind: 'record', of };
}

export function membersOf(name: string, members: Members, others?: MembersType['others']): MembersType {
  return { kind: 'members', name, members, others };
}

export function either(...types: readonly ValueType[]): ValueType {
  return { kind: 'either', types: types.flatMap((type) => (type.kind === 'either' ? type.types : [type])) };
}
