import type { NodeConnectionOptions } from '@nats-io/transport-node';

/** `nats://user:password@host` or `nats://token@host`, as the tools of NATS take them; the client itself passes over them. */
export const credentialsIn = (servers: readonly string[]): Pick<NodeConnectionOptions, 'user' | 'pass' | 'token'> => {
  const url = servers.map((server) => URL.parse(server)).find((each) => each !== null && each.username !== ''); // a cluster knows the same users everywhere
  if (url == null) return {};
  const [name, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  return password === '' ? { token: name } : { user: name, pass: password };
};

/** For the client, and for the log. */
export const withoutCredentials = (server: string): string => server.replace(/\/\/[^/]*@/, '//');
