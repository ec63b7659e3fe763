import type { McpAuthOptions } from 'express-mcp-auth';

const clientId = process.env.CLIENT_ID ?? '00000000-0000-0000-0000-000000000000'; // Application (client) ID
const clientSecret = process.env.CLIENT_SECRET ?? 'your secret';

export const policy: McpAuthOptions = {
  issuer: 'https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0', // your Directory (tenant) ID
  audiences: [clientId],
  upstreamToken: { exchange: { clientId, clientSecret, scopes: ['https://graph.microsoft.com/User.Read'] } },
  resourceMetadata: { resource: 'https://mcp.example.com/mcp' }, // the URL that clients use
  logger: console,
};
