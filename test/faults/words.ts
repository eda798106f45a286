import { create } from './actions/create.ts';
import { deleteCluster } from './actions/delete.ts';
import { lead } from './actions/lead.ts';
import { losePod } from './actions/lose-pod.ts';
import { release } from './actions/release.ts';
import { sameEnd } from './actions/same-end.ts';
import { scale } from './actions/scale.ts';
import { settle } from './actions/settle.ts';
import { strike } from './actions/strike.ts';
import { untilStruck } from './actions/until-struck.ts';
import { membersUntouched } from './checks/members-untouched.ts';
import { served } from './checks/served.ts';
import type { Action, Check } from './vocabulary.ts';

/** The words of plans. Each is explained where it is implemented. */
export const actions: Record<string, Action> = {
  create,
  delete: deleteCluster,
  lead,
  losePod,
  release,
  sameEnd,
  scale,
  settle,
  strike,
  untilStruck,
};

export const checks: Record<string, Check> = { membersUntouched, served };
