import { apiFaults } from './actions/api-faults.ts';
import { blocked } from './actions/blocked.ts';
import { create } from './actions/create.ts';
import { crowd, crowdSettles } from './actions/crowd.ts';
import { cut } from './actions/cut.ts';
import { deleteCluster } from './actions/delete.ts';
import { fillDisk, freeDisk } from './actions/disk-full.ts';
import { freeze } from './actions/freeze.ts';
import { fillStreams, freeStreams } from './actions/full-streams.ts';
import { hitMembers } from './actions/hit-members.ts';
import { kill } from './actions/kill.ts';
import { lead } from './actions/lead.ts';
import { loseDisk } from './actions/lose-disk.ts';
import { losePod } from './actions/lose-pod.ts';
import { mend } from './actions/mend.ts';
import { killNode, reviveNode } from './actions/node.ts';
import { release } from './actions/release.ts';
import { rest } from './actions/rest.ts';
import { sameEnd } from './actions/same-end.ts';
import { scale } from './actions/scale.ts';
import { bringBack, emptyRedis, fillRedis, freeRedis, takeAway } from './actions/servers.ts';
import { setClock } from './actions/set-clock.ts';
import { settle } from './actions/settle.ts';
import { start } from './actions/start.ts';
import { strike } from './actions/strike.ts';
import { thaw } from './actions/thaw.ts';
import { untilHit } from './actions/until-hit.ts';
import { untilStruck } from './actions/until-struck.ts';
import { untouched } from './actions/untouched.ts';
import { calm } from './checks/calm.ts';
import { membersUntouched } from './checks/members-untouched.ts';
import { served } from './checks/served.ts';
import type { Action, Check } from './vocabulary.ts';

/** The words of plans. Each is explained where it is implemented. */
export const actions: Record<string, Action> = {
  // What is asked of clusters.
  create,
  scale,
  losePod,
  delete: deleteCluster,
  crowd,
  // What is waited for, and what is compared.
  settle,
  crowdSettles,
  blocked,
  rest,
  sameEnd,
  untouched,
  // What happens to workers at a write.
  strike,
  untilStruck,
  release,
  // What happens to processes, and to what lies between them.
  kill,
  start,
  freeze,
  thaw,
  cut,
  mend,
  // What happens to the servers that Quorate stands on, and to the API.
  takeAway,
  bringBack,
  emptyRedis,
  fillRedis,
  freeRedis,
  fillStreams,
  freeStreams,
  apiFaults,
  // What happens to members and to their node.
  lead,
  hitMembers,
  untilHit,
  loseDisk,
  fillDisk,
  freeDisk,
  setClock,
  killNode,
  reviveNode,
};

export const checks: Record<string, Check> = { calm, membersUntouched, served };
