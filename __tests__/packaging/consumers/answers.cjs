/** Returns the statuses of an app's answers to two anonymous requests. */
exports.answersOf = async function answersOf(app) {
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const paths = ['/mcp', '/.well-known/oauth-protected-resource/mcp'];
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(origin + path)).status));
  server.close();
  return statuses;
};
