/* StatsD inside the graphite image: metrics arrive by UDP and are written to Carbon beside it. */
{
  port: 8125,
  servers: [{ server: './servers/udp', address: '0.0.0.0', port: 8125 }],
  graphiteHost: '127.0.0.1',
  graphitePort: 2003,
  flushInterval: 10000,
  percentThreshold: [50, 95, 99],
  deleteIdleStats: true,
  graphite: { legacyNamespace: false }
}
