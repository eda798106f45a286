import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { QuorateError } from '../../errors/catalogue.ts';

/**
 * The port whose listener marks a range as taken. No well-known server listens on it (a kubelet of this machine has
 * 10250 on every address), and Linux gives it to no connection.
 */
const lockPort = 61_250;

/**
 * A range of loopback addresses, 127.X.0.0/16, that belongs to this sandbox alone: the node is 127.X.0.1, pods come
 * from the lower half, services from the upper. Addresses are given in turn, so that one comes back only after
 * 32,000 others; nothing has to be returned.
 */
export class Addresses {
  readonly node: string;
  readonly #network: number;
  readonly #lock: Server;
  #pods = 1;
  #services = 0;

  private constructor(network: number, lock: Server) {
    this.#network = network;
    this.#lock = lock;
    this.node = this.#address(1);
  }

  /** Takes a free range, held until `close` or the end of the process. `random` gives numbers in [0, 1). */
  static async claim(random: () => number = Math.random): Promise<Addresses> {
    const first = Math.floor(random() * 239);
    for (let step = 0; step < 239; step++) {
      const network = 16 + ((first + step) % 239);
      const lock = createServer((socket) => socket.destroy());
      try {
        lock.listen({ host: `127.${network}.0.1`, port: lockPort, exclusive: true });
        await once(lock, 'listening');
        lock.unref();
        return new Addresses(network, lock);
      } catch {
        // Another sandbox holds this range, or something else listens there: either way the next one is tried.
      }
    }
    throw new QuorateError('SANDBOX_ADDRESSES', `port ${lockPort} is taken in every range of 127.0.0.0/8`);
  }

  pod(): string {
    this.#pods = (this.#pods % 0x7ffe) + 1;
    return this.#address(this.#pods);
  }

  service(): string {
    this.#services = (this.#services % 0x7ffe) + 1;
    return this.#address(0x8000 + this.#services);
  }

  close(): void {
    this.#lock.close();
  }

  #address(host: number): string {
    return `127.${this.#network}.${host >> 8}.${host & 0xff}`;
  }
}
