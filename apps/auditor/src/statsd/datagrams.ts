import { createSocket, type Socket } from 'node:dgram';
import { Writable } from 'node:stream';

/**
 * Sends each chunk as one datagram over a connected socket. Only a connected one is told that nobody listens at the other
 * end; the name is looked up anew for each stream.
 */
export class Datagrams extends Writable {
  private readonly socket: Socket;
  private readonly connected: Promise<void>;

  constructor(host: string, port: number) {
    super({ decodeStrings: true });
    this.socket = createSocket({ type: 'udp4' }).unref();
    this.connected = new Promise((resolve, reject) => {
      this.socket.once('error', reject);
      // a name that cannot be looked up is told to the callback, which Node's types do not say
      this.socket.connect(port, host, (error?: Error) => {
        if (error !== undefined) return reject(error);
        this.socket.off('error', reject);
        this.socket.on('error', (error) => this.destroy(error));
        resolve();
      });
    });
    this.connected.catch((error: Error) => this.destroy(error));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.connected.then(() => this.socket.send(chunk, (error) => done(error)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.socket.close(() => done(error));
  }
}
