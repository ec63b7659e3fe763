import type { Logger } from '../../core/logger.js';
import { ShortLivedMap } from '../../core/short-lived.js';
import { isRecord } from '../../http/json-object.js';
import { type NameKind, qualify, splitQualified, type TargetedName } from './qualified.js';
import type { SeveralOptions } from './several-options.js';
import { TargetNames } from './target-names.js';

const MAX_LOGGED_NAMES = 100;
/** The time for which the lists of anonymous callers count for those who connect later. */
const LISTED_MS = 60_000;

/** The targets that have listed their names, by kind. */
export type ListingTargets = Readonly<Record<'tool' | 'prompt', Set<string>>>;

export function createListingTargets(): ListingTargets {
  return { tool: new Set(), prompt: new Set() };
}

/**
 * The names of all targets, shared by all connections of one backend: rules look names up before there is a connection, and all users
 * must see the same names.
 */
export class Directory {
  readonly #targets: readonly string[];
  readonly #isPrefixed: boolean;
  readonly #pins: SeveralOptions['pins'];
  readonly #logger: Logger;
  /** For each target that has answered: true if it ever announced resources. */
  readonly #hasResources = new Map<string, boolean>();
  /** Without prefixes: the names of each target that has listed them, by kind. */
  readonly #listed = { tool: new Map<string, TargetNames>(), prompt: new Map<string, TargetNames>() };
  /** The targets that have listed their names to anonymous callers, who all see the same lists. */
  #listedToAnonymous = createListingTargets();
  #anonymousUntil = Number.NEGATIVE_INFINITY;
  readonly #loggedNames = new Set<string>();
  readonly #renamings = new ShortLivedMap<number, () => void>();
  #renamingCount = 0;

  constructor({
    targets,
    prefixMode,
    pins,
    logger,
  }: Pick<SeveralOptions, 'targets' | 'prefixMode' | 'pins' | 'logger'>) {
    this.#targets = [...targets.keys()];
    this.#isPrefixed = prefixMode === 'always' || (prefixMode === 'conditional' && targets.size > 1);
    this.#pins = pins;
    this.#logger = logger;
  }

  /** True if names must be looked up in complete lists, because they have no prefix that names the target. */
  get needsLists(): boolean {
    return !this.#isPrefixed && this.#targets.length > 1;
  }

  /** True if the target has listed its names of this kind. */
  hasListed(kind: 'tool' | 'prompt', target: string): boolean {
    return this.#listed[kind].has(target);
  }

  /** The targets that have listed their names to anonymous callers lately. Later, a target may have other names. */
  listedToAnonymous(): ListingTargets {
    const now = performance.now();
    if (now >= this.#anonymousUntil) {
      this.#listedToAnonymous = createListingTargets();
      this.#anonymousUntil = now + LISTED_MS;
    }
    return this.#listedToAnonymous;
  }

  /** Calls `listener` whenever resources have got other URIs. Returns a function that ends this. */
  onRenamed(listener: () => void): () => void {
    const key = ++this.#renamingCount;
    this.#renamings.set(key, listener);
    return () => void this.#renamings.delete(key);
  }

  /** Learns from the capabilities that a target announces. Returns true if resources have got other URIs, after the listeners were called. */
  learnCapabilities(target: string, capabilities: unknown): boolean {
    const has = isRecord(capabilities) && capabilities.resources !== undefined;
    const before = this.onlyResourceTarget;
    this.#hasResources.set(target, has || this.#hasResources.get(target) === true);
    const isRenamed = this.onlyResourceTarget !== before;
    if (isRenamed) for (const listener of this.#renamings.values()) listener();
    return isRenamed;
  }

  /** Learns the names of a complete list of a target. */
  learnNames(kind: 'tool' | 'prompt', target: string, names: ReadonlySet<string>): void {
    const known = this.#listed[kind].get(target) ?? new TargetNames();
    this.#listed[kind].set(target, known);
    known.add(names);
  }

  /**
   * The target that resources belong to if no other may have any; their URIs are then unchanged. A target that has never answered may
   * have some. Decided by announced capabilities, never by the content of lists, which a target can change at any time.
   */
  get onlyResourceTarget(): string | undefined {
    const [only, ...others] = this.#targets.filter((target) => this.#hasResources.get(target) !== false);
    return others.length === 0 ? only : undefined;
  }

  /** The name by which clients know something of a target; undefined if it is hidden from them. */
  toClient(kind: NameKind, target: string, name: string): string | undefined {
    if ((kind === 'tool' || kind === 'prompt') && this.#isAmbiguous(kind, target, name)) {
      this.#warnOfDuplicate(kind, name);
      return undefined;
    }
    return this.fullName(kind, target, name);
  }

  /** The name by which clients know something of a target, hidden or not. */
  fullName(kind: NameKind, target: string, name: string): string {
    const isUnchanged = kind === 'resource' ? this.onlyResourceTarget === target : kind !== 'task' && !this.#isPrefixed;
    return isUnchanged ? name : qualify(kind, target, name);
  }

  /** Finds the target of a name that a client uses, and the target's own name; undefined if no target has it, or if it is hidden. */
  resolve(kind: NameKind, name: string): TargetedName | undefined {
    const found = this.#find(kind, name);
    if (found === undefined || !this.#targets.includes(found.target)) return undefined;
    return kind === 'tool' && this.#pins?.isHidden(found.target, found.name) === true ? undefined : found;
  }

  #find(kind: NameKind, name: string): TargetedName | undefined {
    if (kind === 'resource') {
      const only = this.onlyResourceTarget;
      return only === undefined ? splitQualified(kind, name) : { target: only, name };
    }
    if (kind === 'task' || this.#isPrefixed) return splitQualified(kind, name);
    const [target, ...others] = this.needsLists ? this.#ownersOf(kind, name) : this.#targets;
    return target === undefined || others.length > 0 ? undefined : { target, name };
  }

  #isAmbiguous(kind: 'tool' | 'prompt', target: string, name: string): boolean {
    return this.needsLists && this.#ownersOf(kind, name).some((owner) => owner !== target);
  }

  #ownersOf(kind: 'tool' | 'prompt', name: string): readonly string[] {
    return this.#targets.filter((target) => this.#listed[kind].get(target)?.has(name));
  }

  #warnOfDuplicate(kind: string, name: string): void {
    const key = `${kind} ${name}`;
    if (this.#loggedNames.has(key) || this.#loggedNames.size >= MAX_LOGGED_NAMES) return;
    this.#loggedNames.add(key);
    this.#logger.warn(`the ${kind} "${name}" is hidden: two targets have it, and prefixMode is 'never'`);
  }
}
