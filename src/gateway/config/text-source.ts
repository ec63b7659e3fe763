import { resolve } from 'node:path';
import { isRecord } from '../../http/json-object.js';
import type { InputFiles } from '../input-files.js';
import { IN_FILE } from '../schema/value-forms.js';
import { StartupError } from '../startup-error.js';
import type { ConfigNode } from './config-node.js';

/** A text in the configuration file itself, or the absolute name of the file that contains it. */
export type TextSource = { readonly text: string } | { readonly file: string };

/** Reads `SECRET` or `{ file: NAME }`, agentgateway's two ways to give a secret. */
export function readTextSource(node: ConfigNode, directory: string): TextSource {
  if (!isRecord(node.value)) return { text: node.text() };
  return readFileName(node.members(IN_FILE).file, directory);
}

/** Reads the name of a file. */
export function readFileName(node: ConfigNode, directory: string): { readonly file: string } {
  return { file: resolve(directory, node.text()) };
}

/**
 * Returns the text itself. White space around the text of a file is removed: editors and `echo` add a line end.
 *
 * @throws {StartupError}
 */
export function resolveText(source: TextSource, files: Pick<InputFiles, 'read'>): string {
  if ('text' in source) return source.text;
  return files.read(source.file).trim() || refuseEmpty(source.file);
}

function refuseEmpty(file: string): never {
  throw new StartupError(`${file}: the file is empty`);
}
