import type { CollectedBytes } from './collected-bytes.js';

/** The places in which members are read: in a message, and in its `result` or `error`. */
export type Level = 'message' | 'inner' | 'other';

/** The facts about the message that a scanner reads. */
export class ScannedMessage {
  member: string | undefined;
  innerMember: string | undefined;
  inner: 'result' | 'error' | undefined;
  id: string | undefined;
  code: string | undefined;
  isToolError = false;
  isResult = false;
  isError = false;
  isRequest = false;
  readonly start: number;
  /** Undefined if it is not collected, or too long. */
  collected: CollectedBytes | undefined;

  constructor(start: number, collected: CollectedBytes | undefined) {
    this.start = start;
    this.collected = collected;
  }

  name(level: Level, name: string | undefined): void {
    if (level === 'inner') this.innerMember = name;
    else {
      this.member = name;
      if (name === 'result') this.isResult = true;
      else if (name === 'error') this.isError = true;
      else if (name === 'method') this.isRequest = true;
    }
  }

  /** True if the value of the current member is needed. */
  needs(level: Level): boolean {
    if (level === 'message') return this.member === 'id';
    return level === 'inner' && this.innerMember === (this.inner === 'error' ? 'code' : 'isError');
  }

  set(level: Level, value: string): void {
    if (level === 'message') this.id = value;
    else if (this.inner === 'error') this.code = value;
    else this.isToolError = value === 'true';
  }
}
