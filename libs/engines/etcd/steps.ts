import type { StepAction } from '../../engine/contract.ts';
import { addMember, moveLeader, promoteMember, removeMember } from './steps/membership.ts';
import { applyService, createObject, deleteObject, recordIdentity } from './steps/objects.ts';

/** Every step a plan of this engine can name. */
export const steps: Record<string, StepAction> = {
  recordIdentity,
  applyService,
  createPod: createObject,
  createClaim: createObject,
  deletePod: deleteObject,
  deleteClaim: deleteObject,
  deleteService: deleteObject,
  addMember,
  promoteMember,
  removeMember,
  moveLeader,
};
