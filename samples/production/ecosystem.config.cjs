module.exports = {
  apps: [
    {
      name: 'mcp',
      // The command itself: npx does not pass signals on.
      script: 'node_modules/express-mcp-auth/dist/gateway/cli.js',
      args: ['-f', 'config.yaml', '--host', '127.0.0.1', '--drain-seconds', '10'],
      // One process. See "Several replicas".
      exec_mode: 'fork',
      instances: 1,
      // Longer than the drain and the end of programs. The default of 1.6 seconds ends calls.
      kill_timeout: 20_000,
      // The command ends its programs itself, after the drain.
      treekill: false,
    },
  ],
};
