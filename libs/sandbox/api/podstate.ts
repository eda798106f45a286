import type { KubeObject } from '../../kube/object.ts';
import { isObject, type JsonObject, listOf, objectOf, textOf, valueAt } from './json.ts';

/** What `kubectl get pods` calls the state: the most telling of phase, deletion and containers' reasons. */
export function podState(pod: KubeObject): string {
  const status = objectOf(pod['status']);
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  const initializing = initState(pod, status);
  if (initializing !== undefined) return initializing;
  const states = listOf(status['containerStatuses']).map((each) => objectOf(objectOf(each)['state']));
  const waiting = states.map((state) => textOf(valueAt(state, 'waiting', 'reason'))).find(Boolean);
  if (waiting) return waiting;
  const ended = states.filter((state) => isObject(state['terminated']));
  if (ended.length > 0 && ended.length === states.length)
    return endedText(objectOf(ended[0]?.['terminated']));
  return textOf(status['reason']) ?? textOf(status['phase']) ?? 'Unknown';
}

function initState(pod: KubeObject, status: JsonObject): string | undefined {
  const total = listOf(valueAt(pod, 'spec', 'initContainers')).length;
  for (const [index, each] of listOf(status['initContainerStatuses']).entries()) {
    const { terminated, waiting } = objectOf(objectOf(each)['state']);
    if (isObject(terminated) && terminated['exitCode'] === 0) continue;
    if (isObject(terminated)) return `Init:${endedText(terminated)}`;
    const reason = textOf(objectOf(waiting)['reason']);
    return reason && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${index}/${total}`;
  }
  return undefined;
}

function endedText(terminated: JsonObject): string {
  return textOf(terminated['reason']) ?? `ExitCode:${terminated['exitCode']}`;
}
