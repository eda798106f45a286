import type { KubeObject } from '../kube/object.ts';

/**
 * The objects of one resource, by namespace and name. A list is in the order of `<namespace>/<name>`, as the real
 * API's is; what did not change since the last list is not sorted again, and a list of one namespace never looks at
 * the others: clusters are many, and each asks for its own.
 */
export interface Table {
  get(namespace: string | undefined, name: string): KubeObject | undefined;
  set(object: KubeObject): void;
  delete(namespace: string | undefined, name: string): void;
  /** The objects of one namespace, or all of them. */
  list(namespace?: string): KubeObject[];
}

interface Shelf {
  objects: Map<string, KubeObject>;
  sorted: KubeObject[] | undefined;
}

export function createTable(): Table {
  const shelves = new Map<string, Shelf>();

  const sortedOf = (namespace: string): KubeObject[] => {
    const shelf = shelves.get(namespace);
    if (shelf === undefined) return [];
    shelf.sorted ??= [...shelf.objects.values()].sort((one, other) =>
      one.metadata.name < other.metadata.name ? -1 : 1,
    );
    return shelf.sorted;
  };

  return {
    get: (namespace = '', name) => shelves.get(namespace)?.objects.get(name),
    set(object) {
      const { namespace = '', name } = object.metadata;
      const shelf = shelves.get(namespace) ?? { objects: new Map(), sorted: undefined };
      shelves.set(namespace, shelf);
      shelf.objects.set(name, object);
      shelf.sorted = undefined;
    },
    delete(namespace = '', name) {
      const shelf = shelves.get(namespace);
      if (shelf === undefined) return;
      shelf.objects.delete(name);
      shelf.sorted = undefined;
      if (shelf.objects.size === 0) shelves.delete(namespace);
    },
    list(namespace) {
      if (namespace !== undefined) return [...sortedOf(namespace)];
      // With the dash that ends a name being before the slash, `a-b/x` comes before `a/x`.
      const namespaces = [...shelves.keys()].sort((one, other) => (`${one}/` < `${other}/` ? -1 : 1));
      return namespaces.flatMap(sortedOf);
    },
  };
}
