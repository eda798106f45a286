import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { processOf } from '../../e2e/bench/node.ts';
import { choice, hit } from '../run/members.ts';
import { onlyCluster, type Scene, subjectOf } from '../run/scene.ts';
import { action } from '../vocabulary.ts';

const run = promisify(execFile);

/** Less than a member's log of writes already has, and less than one that starts needs for it. */
const memberBytes = 16 * 1024;
const newcomerBytes = 8 * 1024 * 1024;

/** Sets how long a file the process, and whatever it starts from then on, may write (setrlimit(2), RLIMIT_FSIZE). */
const limitFiles = (pid: number, limit: number | 'unlimited') =>
  run('prlimit', ['--pid', String(pid), `--fsize=${limit}:`]);

const limitNode = ({ lane }: Scene, limit: number | 'unlimited') =>
  limitFiles(lane.stack.process('sandbox').pid ?? 0, limit);

/**
 * The disks of members are full until `freeDisk`: they cannot make files any longer, and whatever starts on the node
 * meanwhile can write no more than a little. etcd fails on the next write and when it starts again. A disk of the right
 * size would take the rights of root to mount.
 */
export const fillDisk = action(
  z.strictObject({ name: z.string().default(onlyCluster), which: choice }),
  async (scene, { name, which }) => {
    const { cluster } = subjectOf(scene, name);
    await limitNode(scene, newcomerBytes);
    scene.afterwards(async () => void (await limitNode(scene, 'unlimited')));
    await hit(scene, name, which, (pod) => limitFiles(processOf(cluster.pod(pod)), memberBytes));
  },
);

/** There is room again. */
export const freeDisk = action(
  z.strictObject({}),
  async (scene) => void (await limitNode(scene, 'unlimited')),
);
