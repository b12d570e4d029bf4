import { readFileSync } from 'node:fs';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';

/** A file as `nsc` makes it, with the JWT and the key of a user; it may be replaced while we run. Throws when it cannot be read. */
export const credentialsInFile = (path: string): Pick<NodeConnectionOptions, 'authenticator'> => {
  const read = (): Buffer => readFileSync(path);
  read(); // the client would say nothing of it
  return { authenticator: credsAuthenticator(read) };
};

/** `nats://user:password@host` or `nats://token@host`, as the tools of NATS take them; the client itself passes over them. */
export const credentialsIn = (servers: readonly string[]): Pick<NodeConnectionOptions, 'user' | 'pass' | 'token'> => {
  const url = servers.map((server) => URL.parse(server)).find((each) => each !== null && each.username !== ''); // a cluster knows the same users everywhere
  if (url == null) return {};
  const [name, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  return password === '' ? { token: name } : { user: name, pass: password };
};

/** For the client, and for the log. */
export const withoutCredentials = (server: string): string => server.replace(/\/\/[^/]*@/, '//');
