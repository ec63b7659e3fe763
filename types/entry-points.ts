// Compiled by `npm run typecheck`, never run: the public names of express-mcp-auth/admin and express-mcp-auth/telemetry.
import connect from 'connect';
import express from 'express';
import { type McpAdmin, mcpAdmin } from '../src/admin/index.js';
import { mcpAuth, mcpBackend, mcpHttpBackend, mcpStdioBackend } from '../src/index.js';
import { startTelemetry, type Telemetry } from '../src/telemetry/opentelemetry/index.js';

const backends = {
  '/mcp': mcpStdioBackend({ command: 'node', args: ['server.js'] }),
  '/remote': mcpHttpBackend({ url: 'https://mcp.example.com/mcp' }),
  '/tools': mcpBackend({ targets: { notes: { command: 'node' } } }),
};

// The page for operators takes every kind of backend.
const admin: McpAdmin = mcpAdmin({
  authorize: async (req) => req.headers['x-operator'] === 'yes',
  backends,
  auth: mcpAuth({ issuer: 'https://a.example', audiences: ['api'] }),
});
express().use('/admin', admin);
connect().use('/admin', mcpAdmin({ authorize: 'loopback' }));
admin.close();
// @ts-expect-error There is no default for who may use the page.
mcpAdmin({ backends });

const telemetry: Telemetry = startTelemetry();
telemetry.stop();
// @ts-expect-error An empty object is no provider of OpenTelemetry.
startTelemetry({ tracerProvider: {} });
