import { isRecord } from '../http/json-object.js';
import { readMembers } from '../messages/json-members.js';

/** An answer of the API as JSON, with numbers as an MCP server wrote them: `JSON.parse()` rounds those beyond 2^53. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Returns the bytes of a member of an object; of two with one name, those of the last, as `JSON.parse()` does. */
export function memberBytes(bytes: Buffer | undefined, name: string): Buffer | undefined {
  const found = bytes && readMembers(bytes)?.list.findLast((member) => member.name === name);
  return found && bytes.subarray(found.start, found.end);
}

/** True if a value that was parsed from JSON has a number that may be another than the one that was written. */
export function mayBeRounded(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
  if (Array.isArray(value)) return value.some(mayBeRounded);
  return isRecord(value) && Object.values(value).some(mayBeRounded);
}
