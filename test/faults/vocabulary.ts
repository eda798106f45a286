import type { z } from 'zod';
import type { Scene } from './run/scene.ts';

/** A word that does something in a case: to a cluster, to Quorate, or to what either stands on. */
export interface Action {
  /** What may be given to it. */
  given: z.ZodType;
  run(scene: Scene, given: unknown): Promise<void>;
}

/** A word that says what must hold. */
export interface Check {
  given: z.ZodType;
  /** Called before the first step; what it returns is called after the last, and throws where it does not hold. */
  begin(scene: Scene, given: unknown): () => Promise<void> | void;
}

export const action = <Given extends z.ZodType>(
  given: Given,
  run: (scene: Scene, given: z.output<Given>) => Promise<void>,
): Action => ({ given, run: (scene, value) => run(scene, given.parse(value)) });

export const check = <Given extends z.ZodType>(
  given: Given,
  begin: (scene: Scene, given: z.output<Given>) => () => Promise<void> | void,
): Check => ({ given, begin: (scene, value) => begin(scene, given.parse(value)) });
