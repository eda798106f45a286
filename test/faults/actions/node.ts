import { z } from 'zod';
import { action } from '../vocabulary.ts';

const post = (path: string) => ['create', '--raw', `/sandbox/node/${path}`, '-f', '/dev/null'];

/** The node dies with all its containers, and Kubernetes hears nothing of it until `reviveNode`. */
export const killNode = action(z.strictObject({}), async ({ stage, afterwards }) => {
  await stage.kubectl(...post('die'));
  afterwards(async () => void (await stage.kubectl(...post('revive'))));
});

/** The node comes back and starts again what is still wanted. */
export const reviveNode = action(z.strictObject({}), async ({ stage }) => {
  await stage.kubectl(...post('revive'));
});
