import { LOG_FORMATS, LOG_LEVELS, type LogSettings } from '../log-settings.js';
import { LOGGING } from '../schema/process-keys.js';
import type { ConfigNode, UnsupportedFeature } from './config-node.js';
import { harmless } from './unsupported-features.js';

const UNSUPPORTED: ReadonlyMap<string, UnsupportedFeature> = new Map([
  ['filter', harmless('write frontendPolicies.accessLog.filter')],
  ['fields', harmless('write add and remove in frontendPolicies.accessLog')],
  ['database', harmless('the log is written to the standard output and the standard error')],
]);

/** Reads the section `config.logging`. Levels by module are not supported: the modules are those of agentgateway. */
export function readLogging(node: ConfigNode): LogSettings {
  const { level, format } = node.members(LOGGING, { unsupported: UNSUPPORTED });
  return { ...(level && { level: level.word(LOG_LEVELS) }), ...(format && { format: format.word(LOG_FORMATS) }) };
}
