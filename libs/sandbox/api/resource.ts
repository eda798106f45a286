import type { ResourceType } from '../../kube/object.ts';
import type { KindRules } from './kinds/rules.ts';
import type { Schema } from './schema.ts';
import type { Validate } from './validation.ts';

/** A column that a CRD adds to `kubectl get`. */
export interface PrinterColumn {
  name: string;
  type: string;
  description?: string;
  format?: string;
  priority?: number;
  jsonPath: string;
}

export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

/** All that the API knows of one resource in one version. */
export interface Resource {
  type: ResourceType;
  storageVersion: string;
  /** Built-in kinds are decoded strictly by type and know strategic merge patches; custom ones don't. */
  builtin: boolean;
  singular: string;
  listKind: string;
  shortNames: string[];
  categories: string[];
  schema: Schema;
  statusSubresource: boolean;
  scale?: ScalePaths;
  /** A CRD's schema, compiled. */
  validate?: Validate;
  columns?: PrinterColumn[];
  rules: KindRules;
}
