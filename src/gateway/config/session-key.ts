import { createChecks } from '../../options/checks.js';
import { resolveSecrets } from '../../policy/secrets.js';
import type { InputFiles } from '../input-files.js';
import { SESSION } from '../schema/process-keys.js';
import { atPlace } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';
import { readTextSource, resolveText, type TextSource } from './text-source.js';

/** The `session.key` of the section `config`: signs session ids, for each login without a `secret` of its own. */
export interface SessionKeyConfig {
  /** The first one signs, all verify. */
  readonly keys: readonly TextSource[];
  readonly at: string;
}

/** Reads agentgateway's `session`: `key`, or a list of keys, which agentgateway does not have. */
export function readSessionKey(node: ConfigNode, directory: string): SessionKeyConfig {
  const { key } = node.members(SESSION);
  const keys = Array.isArray(key.value) ? key.someItems() : [key];
  return { keys: keys.map((each) => readTextSource(each, directory)), at: key.path };
}

const checks = createChecks('mcpAuth()', new Map([['secret', 'key']]));

/** @throws {StartupError} If a key is too short, or its file cannot be read. */
export function resolveSessionKey({ keys, at: place }: SessionKeyConfig, files: InputFiles): readonly string[] {
  const given = () => keys.map((key) => resolveText(key, files));
  return atPlace(place, () => resolveSecrets(checks, given(), 'secret'));
}
