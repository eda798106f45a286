import type { Registry } from './registry.ts';
import type { Resource } from './resource.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

export const version = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0+quorate-sandbox',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

interface Subresource {
  name: string;
  kind: string;
  verbs: string[];
  group?: string;
  version?: string;
}

/** The subresources that a resource has, in the order of discovery. */
export function subresourcesOf(resource: Resource): Subresource[] {
  const { kind } = resource.type;
  const changing = ['get', 'patch', 'update'];
  const found: Subresource[] = [];
  if (resource.builtin && kind === 'Pod') {
    found.push({ name: 'eviction', kind: 'Eviction', verbs: ['create'], group: 'policy', version: 'v1' });
    found.push({ name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] });
    found.push({ name: 'log', kind: 'Pod', verbs: ['get'] });
  }
  if (resource.statusSubresource) found.push({ name: 'status', kind, verbs: changing });
  if (resource.scale) {
    found.push({ name: 'scale', kind: 'Scale', verbs: changing, group: 'autoscaling', version: 'v1' });
  }
  return found;
}

interface Group {
  name: string;
  /** In the order of preference. */
  versions: string[];
}

export function groupsOf(registry: Registry): Group[] {
  const groups = new Map<string, Set<string>>();
  for (const { type, storageVersion } of registry.all()) {
    const versions = groups.get(type.group) ?? new Set([storageVersion]);
    groups.set(type.group, versions.add(type.version));
  }
  groups.set('authorization.k8s.io', new Set(['v1']));
  return [...groups].map(([name, versions]) => ({ name, versions: [...versions] }));
}

/** `/apis`, or one group of it. */
export function groupList(registry: Registry): object {
  const groups = groupsOf(registry).filter(({ name }) => name !== '');
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupEntry) };
}

export function groupEntry({ name, versions }: Group): object {
  const all = versions.map((each) => ({ groupVersion: `${name}/${each}`, version: each }));
  return { kind: 'APIGroup', apiVersion: 'v1', name, versions: all, preferredVersion: all[0] };
}

/** `/api/v1` and `/apis/<group>/<version>`; undefined where there is nothing of that version. */
export function resourceList(registry: Registry, group: string, wanted: string): object | undefined {
  const resources = registry.all().filter(({ type }) => type.group === group && type.version === wanted);
  const reviews = group === 'authorization.k8s.io' && wanted === 'v1' ? [reviewEntry] : [];
  if (resources.length + reviews.length === 0) return undefined;
  const groupVersion = group === '' ? wanted : `${group}/${wanted}`;
  const entries = resources.flatMap((resource) => {
    const { plural, kind, namespaced } = resource.type;
    const { shortNames, categories, singular } = resource;
    const main = {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    };
    const sub = subresourcesOf(resource).map(({ name, ...rest }) => ({
      name: `${plural}/${name}`,
      singularName: '',
      namespaced,
      ...rest,
    }));
    return [main, ...sub];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [...entries, ...reviews] };
}

const reviewEntry = {
  name: 'selfsubjectaccessreviews',
  singularName: 'selfsubjectaccessreview',
  namespaced: false,
  kind: 'SelfSubjectAccessReview',
  verbs: ['create'],
};

/** Everything in one answer, for clients that ask for it: of the core group, or of all the others. */
export function aggregated(registry: Registry, core: boolean): object {
  const groups = groupsOf(registry).filter(({ name }) => (name === '') === core);
  const items = groups.map(({ name, versions }) => ({
    metadata: { name, creationTimestamp: null },
    versions: versions.map((each) => ({
      version: each,
      freshness: 'Current',
      resources: registry
        .all()
        .filter(({ type }) => type.group === name && type.version === each)
        .map(aggregatedEntry),
    })),
  }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedEntry(resource: Resource): object {
  const { group, version: own, kind, plural, namespaced } = resource.type;
  return {
    resource: plural,
    responseKind: { group, version: own, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: resource.singular,
    verbs,
    shortNames: resource.shortNames,
    categories: resource.categories,
    subresources: subresourcesOf(resource).map((each) => ({
      subresource: each.name,
      responseKind: { group: each.group ?? group, version: each.version ?? own, kind: each.kind },
      verbs: each.verbs,
    })),
  };
}
