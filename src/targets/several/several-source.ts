import type { Caller } from '../../core/quota.js';
import type { Connection, ConnectionSource } from '../connection.js';
import type { SeveralContext } from './conversation.js';
import { Directory } from './directory.js';
import { ListPages } from './list-pages.js';
import { MissingTargets } from './missing-targets.js';
import type { NameKind, TargetedName } from './qualified.js';
import { SeveralConnection } from './several-connection.js';
import type { SeveralOptions } from './several-options.js';

/** Opens connections to several targets as one. Each target's connection is opened when something is sent to that target. */
export class SeveralSource implements ConnectionSource {
  readonly #context: SeveralContext;

  constructor(options: SeveralOptions) {
    const directory = new Directory(options);
    const pages = new ListPages(directory, options.pins !== undefined);
    this.#context = { options, directory, pages, missing: new MissingTargets(options.logger) };
  }

  /** The number of connections to targets. */
  get size(): number {
    let size = 0;
    for (const source of this.#context.options.targets.values()) size += source.size;
    return size;
  }

  open(caller: Caller): Connection {
    return new SeveralConnection(this.#context, caller);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#context.options.targets.values()].map((source) => source.close()));
  }

  /** Says which target a client's name is about, and how that target calls it. Undefined if there is no such name. */
  resolve(kind: NameKind, name: string): TargetedName | undefined {
    return this.#context.directory.resolve(kind, name);
  }
}
