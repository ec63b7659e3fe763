import { BIND, BIND_LISTENER } from '../schema/listener-keys.js';
import { ROUTE } from '../schema/route-keys.js';
import type { ConfigNode } from './config-node.js';
import type { FileParts } from './file-parts.js';
import type { BindConfig, ListenerConfig } from './gateway-config.js';
import { readListenerMembers } from './listener-members.js';
import { readPolicies } from './policy-levels.js';
import { readRoute } from './routes.js';
import { ignorableBeside, UNSUPPORTED_LISTENER_KEYS } from './unsupported-features.js';

/** Reads the section `binds`: agentgateway's older form, in which routes are within listeners. */
export function readBinds(node: ConfigNode, parts: FileParts): readonly BindConfig[] {
  return node.someItems().map((bind) => readBind(bind, parts));
}

function readBind(node: ConfigNode, parts: FileParts): BindConfig {
  const { port, listeners } = node.members(BIND, { unsupported: UNSUPPORTED_LISTENER_KEYS });
  return {
    port: port.port(),
    listeners: listeners.someItems().map((listener, index) => readListener(listener, index, parts)),
    at: node.path,
  };
}

function readListener(node: ConfigNode, index: number, parts: FileParts): ListenerConfig {
  const unsupported = ignorableBeside(['routes'], [node], UNSUPPORTED_LISTENER_KEYS);
  const { name, namespace, routes, policies, ...members } = node.members(BIND_LISTENER, { unsupported });
  namespace?.text();
  const called = name?.text() ?? `listener${index}`;
  const targeted = parts.policies.for('gateway', called);
  const ofListener = parts.policies.ofListener(called, readPolicies(policies, 'listener'));
  const surroundings = { ...parts, ofListener, targeted };
  const read = routes.someItems().flatMap((route, i) => readRoute(route, route.members(ROUTE), i, surroundings) ?? []);
  return { ...readListenerMembers(node, members, parts.directory), routes: read, at: node.path };
}
