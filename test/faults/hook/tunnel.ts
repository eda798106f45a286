import { type NetConnectOpts, Socket } from 'node:net';

/** The port on which every etcd serves its clients. */
const memberPort = 2379;

/**
 * Sends every connection to a member through a tunnel on this machine, so that it can be cut: the address that was
 * meant goes first, as `host:port` and a line feed. Members have addresses of their own, so no setting of a worker can
 * lead it to them another way.
 */
export function connectThroughTunnel(tunnelPort: number): void {
  const connect = Socket.prototype.connect as (this: Socket, ...given: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]): Socket {
    const options = optionsOf(given);
    if (options === undefined || Number(options.port) !== memberPort) return connect.apply(this, given);
    const { host = '127.0.0.1' } = options;
    options.host = '127.0.0.1';
    options.port = tunnelPort;
    // The first to hear of the connection, so that nothing goes out before it.
    this.prependOnceListener('connect', () => this.write(`${host}:${memberPort}\n`));
    connect.apply(this, given);
    return this;
  };
}

/** The options of a call of `connect`, which Node itself passes on as a list of them and the listener. */
function optionsOf([first]: unknown[]): { host?: string | undefined; port: number } | undefined {
  const options = (Array.isArray(first) ? first[0] : first) as NetConnectOpts | undefined;
  return typeof options === 'object' && 'port' in options ? options : undefined;
}
