import type { KubeObject } from '../../../kube/object.ts';
import type { StatusCause } from '../../status.ts';

/** What a built-in kind does with an object before it is stored. All are pure, but `onCreate` may allocate. */
export interface KindRules {
  /** Fills in defaults; must give the same for what it has given before. */
  prepare?(object: KubeObject, old: KubeObject | undefined): KubeObject;
  validate?(object: KubeObject, old: KubeObject | undefined): StatusCause[];
  /** What a new object gets beyond defaults, e.g. its first status or an address. */
  onCreate?(object: KubeObject): KubeObject;
}
