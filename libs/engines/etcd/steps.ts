import type { StepAction } from '../../engine/contract.ts';
import { setImage } from './steps/image.ts';
import { addMember, moveLeader, promoteMember, removeMember } from './steps/membership.ts';
import { applyObject, createObject, deleteObject, recordIdentity } from './steps/objects.ts';

/** Every step a plan of this engine can name. */
export const steps: Record<string, StepAction> = {
  recordIdentity,
  applyService: applyObject,
  applyBudget: applyObject,
  createPod: createObject,
  createClaim: createObject,
  setImage,
  deletePod: deleteObject,
  deleteClaim: deleteObject,
  deleteService: deleteObject,
  deleteBudget: deleteObject,
  addMember,
  promoteMember,
  removeMember,
  moveLeader,
};
