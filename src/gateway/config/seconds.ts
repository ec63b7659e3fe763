import { TIME_FORM } from '../schema/value-forms.js';
import type { ConfigNode } from './config-node.js';

/** Reads a time that is measured in seconds. A fraction is refused: another time than the one in the file would count. */
export function readWholeSeconds(node: ConfigNode): number {
  const seconds = readSeconds(node);
  if (Number.isInteger(seconds)) return seconds;
  return node.refuse(`must be whole seconds, such as "${Math.ceil(seconds)}s", but is ${JSON.stringify(node.value)}`);
}

/** Reads a time in agentgateway's form, in seconds. */
export function readSeconds(node: ConfigNode): number {
  if (typeof node.value === 'number') node.refuse(`must have a unit: write "${node.value}s" for seconds`);
  const [all, hours = '0', minutes = '0', seconds = '0', ms = '0'] = TIME_FORM.exec(node.text()) ?? [];
  if (!all) return node.refuse(`must be a time such as "600s", "10m" or "1h", but is ${JSON.stringify(node.value)}`);
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds) + Number(ms) / 1000;
}
