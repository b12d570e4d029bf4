import { createServer } from 'node:http';

/** Stand-ins for the shop's books, its banks and the desk that gets the reports. Amounts are in cents. */
const BOOKS = { giro: 120_000, card: 5_500, cash: 300 };
const BANK = { giro: 120_000, card: 5_250, cash: 300 };

export const startBanks = async () => {
  const reports = [];
  let outages = 1; // the bank answers the first question with an error

  const answer = async (url, body) => {
    const [, kind, account] = url.split('/');
    if (kind === 'reports') return reports.push(body) && { filed: reports.length };
    if (kind === 'bank' && outages-- > 0) return undefined;
    const cents = (kind === 'bank' ? BANK : BOOKS)[account];
    return cents === undefined ? undefined : { cents };
  };

  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    await new Promise((resolve) => setTimeout(resolve, 40));
    const text = Buffer.concat(chunks).toString();
    const result = await answer(request.url, text === '' ? undefined : JSON.parse(text));
    response.writeHead(result === undefined ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(result ?? { error: 'out of order' }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    reports,
    close: () => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))),
  };
};
