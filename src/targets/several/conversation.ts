import type { RpcMessage } from '../../messages/json-rpc.js';
import type { Directory } from './directory.js';
import { Editor } from './editor.js';
import type { ListPages } from './list-pages.js';
import type { MissingTargets } from './missing-targets.js';
import { restoreRelatedTask } from './name-qualifier.js';
import { metaMembersOf, paramsOf } from './params.js';
import type { SeveralOptions } from './several-options.js';
import type { TargetGroup } from './target-group.js';

/** The parts that all connections of one backend share. */
export interface SeveralContext {
  readonly options: SeveralOptions;
  readonly directory: Directory;
  readonly missing: MissingTargets;
  readonly pages: ListPages;
}

/** One client's conversation with several targets. */
export interface Conversation extends SeveralContext {
  readonly group: TargetGroup;
  readonly isAnonymous: boolean;
  /** Sends the client a message; see `ConnectionListener.message()`. */
  emit(bytes: Buffer, read?: RpcMessage, about?: readonly string[]): void;
}

/** Builds a client's request as one target gets it: with our own id and progress token, and with what `edit` changes. */
export function requestFor(message: RpcMessage, target: string, id: string, edit?: (editor: Editor) => void): Buffer {
  const editor = new Editor(message.bytes);
  editor.replace(message.idAt, id);
  const params = paramsOf(message);
  const meta = metaMembersOf(message);
  for (const member of meta?.list ?? []) if (member.name === 'progressToken') editor.replace(member, id);
  if (meta !== undefined) restoreRelatedTask(editor, params, target);
  edit?.(editor);
  return editor.result;
}
