import { DiscardPolicy, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import type { Lane } from '../run/lane.ts';
import { action } from '../vocabulary.ts';

const names = ['EVENTS', 'DECISIONS', 'REPEATS'];

/** The streams take nothing more, as where the disk of JetStream is full; until `freeStreams`. */
export const fillStreams = action(z.strictObject({}), async ({ lane, afterwards }) => {
  await setLimit(lane, 1);
  afterwards(() => setLimit(lane, undefined));
});

export const freeStreams = action(z.strictObject({}), ({ lane }) => setLimit(lane, undefined));

/** With a limit, what is beyond it is refused instead of what is old thrown away. */
async function setLimit({ stack }: Lane, maxMessages: number | undefined): Promise<void> {
  const connection = await connect({ servers: stack.natsUrl });
  try {
    const { streams } = await jetstreamManager(connection);
    for (const name of names) {
      const limits =
        maxMessages === undefined
          ? { discard: DiscardPolicy.Old, max_msgs: -1 }
          : { discard: DiscardPolicy.New, max_msgs: maxMessages };
      await streams.update(name, limits);
    }
  } finally {
    await connection.close();
  }
}
