import type { z } from 'zod';
import type { ResourceType } from './object.ts';

/** A column of `kubectl get`; one with a `priority` above 0 shows only with `-o wide`. */
export interface PrinterColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  /** A JSON path from the object's root, e.g. `.spec.size`. */
  jsonPath: string;
  description: string;
  priority?: number;
}

/** The paths that make `kubectl scale` work. */
export interface ScalePaths {
  specReplicasPath: string;
  statusReplicasPath: string;
  labelSelectorPath?: string;
}

/** A kind of custom resource: all that its CustomResourceDefinition says. Always namespaced, with a status. */
export interface ResourceDefinition {
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  categories?: string[];
  /** What `kubectl explain` says of the kind. */
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  printerColumns: PrinterColumn[];
  scale?: ScalePaths;
  /** The annotation, and its value, by which a resource asks for an operator of the whole Kubernetes cluster. */
  clusterWide?: { annotation: string; value: string };
}

/** What the API's paths need to know of the kind. */
export function resourceTypeOf(definition: ResourceDefinition): ResourceType {
  const { group, version, kind, plural } = definition;
  return { group, version, kind, plural, namespaced: true };
}
