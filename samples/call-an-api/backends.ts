import { getUpstreamToken, mcpBackend } from 'express-mcp-auth';

export const backend = mcpBackend({
  targets: {
    // A program gets the token when it starts. It is started for one user, and no other user can reach it.
    github: {
      command: 'github-mcp-server',
      args: ['stdio'],
      env: async (auth) => ({ GITHUB_PERSONAL_ACCESS_TOKEN: await getUpstreamToken(auth) }),
    },
    // A remote server gets it with each request.
    search: {
      url: 'https://mcp.example.com/mcp',
      headers: async (auth) => ({ authorization: `Bearer ${await getUpstreamToken(auth)}` }),
    },
  },
});
