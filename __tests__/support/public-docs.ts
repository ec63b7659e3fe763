import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { ROOT } from './program.js';

/** A name that users see: what an entry point exports, the types in its signatures, and their members. */
export interface PublicName {
  /** With the type in front, where it is a member. */
  readonly name: string;
  readonly isFunction: boolean;
  /** Its TSDoc, without the stars; empty where there is none. */
  readonly comment: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [member: string]: unknown;
}

interface Declaration {
  readonly module: Module;
  readonly node: Node;
  readonly comment: string;
}

interface Module {
  readonly path: string;
  readonly source: string;
  readonly declarations: ReadonlyMap<string, Declaration>;
  /** By the name that counts in this file: where it comes from, and what it is called there. */
  readonly imported: ReadonlyMap<string, { readonly path: string; readonly name: string }>;
  readonly exported: readonly string[];
}

/** Everything public of an entry point of `src/`, each once. Types that their file keeps to itself stand for their members. */
export function publicNames(entry: string): readonly PublicName[] {
  const read = createReader();
  const module = read(join(ROOT, 'src', entry));
  const seen = new Set<Node>();
  const follow = (from: Module, name: string): PublicName[] => {
    const found = declarationOf(read, from, name);
    if (found === undefined || seen.has(found.node)) return [];
    seen.add(found.node);
    const isFunction = found.node.type === 'FunctionDeclaration';
    const own = found.module.exported.includes(name) ? [{ name, isFunction, comment: found.comment }] : [];
    const inner = signatureNodes(found.node);
    const members = inner.filter(isPublicMember).map((member) => ({
      name: `${name}.${(member.key as Node).name}`,
      isFunction: false,
      comment: commentBefore(found.module.source, member.start),
    }));
    const references = inner.flatMap(referenceIn);
    return [...own, ...members, ...references.flatMap((reference) => follow(found.module, reference))];
  };
  return module.exported.flatMap((name) => follow(module, name));
}

function createReader(): (path: string) => Module {
  const modules = new Map<string, Module>();
  return (path) => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const module = readModule(path);
    modules.set(path, module);
    return module;
  };
}

function readModule(path: string): Module {
  const source = readFileSync(path, 'utf8');
  const declarations = new Map<string, Declaration>();
  const imported = new Map<string, { path: string; name: string }>();
  const exported: string[] = [];
  const module: Module = { path, source, declarations, imported, exported };
  for (const statement of parseAst(source, { lang: 'ts' }).body as unknown as Node[]) {
    const from = (statement.source as { value?: string } | null | undefined)?.value;
    for (const specifier of (statement.specifiers as Node[] | undefined) ?? []) {
      const local = nameOf(specifier.local);
      const outer = nameOf(specifier.exported) ?? local;
      if (statement.type === 'ExportNamedDeclaration' && outer !== undefined) exported.push(outer);
      if (from?.startsWith('.') !== true) continue;
      const file = join(path, '..', from.replace(/\.js$/, '.ts'));
      imported.set(outer ?? '', { path: file, name: nameOf(specifier.imported) ?? local ?? '' });
    }
    const node = (statement.declaration ?? statement) as Node;
    const name = nameOf(node.id);
    if (name === undefined) continue;
    if (node !== statement) exported.push(name);
    declarations.set(name, { module, node, comment: commentBefore(source, statement.start) });
  }
  return module;
}

function nameOf(node: unknown): string | undefined {
  return (node as { name?: string } | null | undefined)?.name;
}

function declarationOf(read: (path: string) => Module, from: Module, name: string): Declaration | undefined {
  const own = from.declarations.get(name);
  if (own !== undefined) return own;
  const origin = from.imported.get(name);
  return origin && declarationOf(read, read(origin.path), origin.name);
}

/** Members of nodes that are not part of what users see of them: bodies and values. */
const INTERNAL: Readonly<Record<string, readonly string[]>> = {
  FunctionDeclaration: ['body'],
  FunctionExpression: ['body'],
  PropertyDefinition: ['value'],
  AssignmentPattern: ['right'],
};

function signatureNodes(node: Node): Node[] {
  const inner = Object.entries(node).flatMap(([member, value]) =>
    INTERNAL[node.type]?.includes(member) ? [] : [value].flat().filter(isNode),
  );
  return inner.filter((each) => !isHidden(each)).flatMap((each) => [each, ...signatureNodes(each)]);
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

/** Private members and constructors, and those whose TSDoc is that of the class that they override. */
function isHidden({ type, key, kind, override }: Node): boolean {
  if (type === 'MethodDefinition' && kind === 'constructor') return true;
  return override === true || (key as Node | undefined)?.type === 'PrivateIdentifier';
}

const MEMBERS = ['TSPropertySignature', 'TSMethodSignature', 'PropertyDefinition', 'MethodDefinition'];

/** A member of type `never` only says that another one excludes it. */
function isPublicMember({ type, typeAnnotation }: Node): boolean {
  const inner = (typeAnnotation as { typeAnnotation?: Node } | null | undefined)?.typeAnnotation;
  return MEMBERS.includes(type) && inner?.type !== 'TSNeverKeyword';
}

function referenceIn({ type, typeName, expression }: Node): string[] {
  const name = type === 'TSTypeReference' ? nameOf(typeName) : type === 'TSInterfaceHeritage' ? nameOf(expression) : '';
  return name === undefined || name === '' ? [] : [name];
}

function commentBefore(source: string, start: number): string {
  const before = source.slice(0, start).trimEnd();
  if (!before.endsWith('*/')) return '';
  return before
    .slice(before.lastIndexOf('/*'), -2)
    .replace(/^\/\*\*?/, '')
    .replace(/^[ \t]*\* ?/gm, '')
    .trim();
}

/** The programs of a TSDoc comment. */
export function examplesIn(comment: string): readonly string[] {
  return [...comment.matchAll(/@example\n```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
}
