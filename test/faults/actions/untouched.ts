import { z } from 'zod';
import { assertUntouchedSoFar } from '../checks/members-untouched.ts';
import { action } from '../vocabulary.ts';

/** Fails where a member was touched by now, as the check `membersUntouched` does at the end of a case. */
export const untouched = action(z.strictObject({}), async (scene) => assertUntouchedSoFar(scene));
