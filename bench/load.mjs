import autocannon from 'autocannon';

/**
 * Sends requests for `seconds`, or `{ amount }` requests however long that takes, taking the headers in turn, each with `body` where there is
 * one (POST), else GET; resolves to how many were answered, and with what.
 */
export async function load(url, headers, seconds, body) {
  const message = body === undefined ? { method: 'GET' } : { method: 'POST', body };
  const requests = headers.map((header) => ({ ...message, headers: header }));
  let clients = 0;
  // Each connection begins at another header: otherwise all would send the same token at once.
  const setupClient = (client) => {
    const start = Math.floor((clients++ / 32) * requests.length);
    client.setRequests([...requests.slice(start), ...requests.slice(0, start)]);
  };
  const length = typeof seconds === 'number' ? { duration: seconds } : seconds;
  const result = await autocannon({ url, connections: 32, ...length, requests, setupClient });
  const statuses = Object.fromEntries(
    Object.entries(result.statusCodeStats).map(([status, { count }]) => [status, Number(count)]),
  );
  return { answered: result.requests.total, perSecond: result.requests.total / result.duration, statuses };
}
