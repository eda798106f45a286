import { messageOf, type QuorateError } from '../../errors/catalogue.ts';
import { backoffMs, wait } from '../../service/backoff.ts';
import type { Log } from '../../service/log.ts';
import type { WatchableKube } from '../client.ts';
import { type KubeObject, resourceTypes } from '../object.ts';
import { watchObjects } from '../watch.ts';
import { type Refusal, type Registration, registrationLabel, registrationsOf } from './registration.ts';

export interface ServeOptions {
  /** The Kubernetes cluster that this process runs in. */
  home: WatchableKube;
  /** Where in it the Secrets are that register others; without it there are no others. */
  namespace: string | undefined;
  /** Those that are served at present, by id; kept here. */
  present: Map<string, WatchableKube>;
  /** Connects to a registered one; closed here. */
  connect(registration: Registration): WatchableKube;
  /** Works for one kube until the signal is aborted. */
  serve(kube: WatchableKube, log: Log, signal: AbortSignal): Promise<void>;
  /** Told of each Secret that cannot be used, once for as long as the Secret and the reason stay the same. */
  refused?(refusal: Refusal): Promise<void>;
  log: Log;
  signal: AbortSignal;
}

const retry = { baseMs: 1000, capMs: 60_000 };

/**
 * Serves the kube at home and each registered one, every one by itself: what happens to one is no matter of the
 * others. A kube that is registered is served within seconds, one whose kubeconfig changes is served anew with it, and
 * one that is no longer registered is left alone. An error of the one at home ends everything and is thrown; after an
 * error of a registered one it is tried again, with growing delays.
 */
export async function serveKubes(options: ServeOptions): Promise<void> {
  const { home, present, log } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const others = serveRegistered({ ...options, signal });
  // One that fails ends the other; both have ended before the caller closes what they use.
  present.set(home.id, home);
  const running = [options.serve(home, log.child({ kube: home.id }), signal), others];
  await Promise.all(running.map((each) => each.catch((error) => stop.abort(error))));
  if (!options.signal.aborted) throw stop.signal.reason;
}

/** One registered kube that is served. */
interface Served {
  kubeconfig: string;
  stop: AbortController;
  ended: Promise<void>;
}

async function serveRegistered(options: ServeOptions): Promise<void> {
  const { home, namespace, log, signal } = options;
  if (namespace === undefined) return;
  const secrets = new Map<string, KubeObject>();
  const served = new Map<string, Served>();
  const ending = new Set<Promise<void>>();
  /** What was told of the Secrets that cannot be used. */
  let told = new Set<string>();

  const end = (id: string): Promise<void> | undefined => {
    const before = served.get(id);
    served.delete(id);
    before?.stop.abort();
    return before?.ended;
  };

  const begin = (registration: Registration): void => {
    const { id, kubeconfig } = registration;
    const ended = end(id);
    const stopOne = new AbortController();
    const one = log.child({ kube: id });
    const run = async () => {
      await ended;
      one.info({}, 'serving a registered kube');
      await serveUntilStopped(options, registration, one, AbortSignal.any([signal, stopOne.signal]));
    };
    const running = run().finally(() => ending.delete(running));
    ending.add(running);
    served.set(id, { kubeconfig, stop: stopOne, ended: running });
  };

  const compare = (): void => {
    const { registered, refused } = registrationsOf([...secrets.values()], home.id);
    for (const id of [...served.keys()]) {
      if (registered.has(id)) continue;
      log.info({ kube: id }, 'a kube is registered no more');
      void end(id);
    }
    for (const registration of registered.values()) {
      if (served.get(registration.id)?.kubeconfig !== registration.kubeconfig) begin(registration);
    }
    for (const refusal of refused) if (!told.has(newsOf(refusal))) tell(refusal);
    told = new Set(refused.map(newsOf));
  };

  const tell = (refusal: Refusal): void => {
    const { secret, error } = refusal;
    const { code, help } = error;
    log.error({ secret: secret.metadata.name, code, help, reason: messageOf(error) }, 'a kube is not served');
    options.refused?.(refusal).catch((problem) => {
      log.warn(
        { secret: secret.metadata.name, reason: messageOf(problem) },
        'its Secret could not be told so',
      );
    });
  };

  const type = resourceTypes.secret;
  const labels = { [registrationLabel]: true } as const;
  for await (const change of watchObjects({ kube: home, type, namespace, labels, log, signal })) {
    if (change.type === 'listing') continue;
    if (change.type === 'listed') {
      secrets.clear();
      for (const secret of change.items) secrets.set(secret.metadata.name, secret);
    } else if (change.type === 'deleted') secrets.delete(change.object.metadata.name);
    else secrets.set(change.object.metadata.name, change.object);
    compare();
  }
  await Promise.all(ending);
}

const newsOf = ({ secret: { metadata }, error }: Refusal): string =>
  `${metadata.uid}/${metadata.resourceVersion}/${messageOf(error)}`;

/** Serves one kube, again and again after errors, until the signal is aborted. */
async function serveUntilStopped(
  { connect, serve, present }: ServeOptions,
  registration: Registration,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; ) {
    const startedMs = performance.now();
    let kube: WatchableKube | undefined;
    try {
      kube = connect(registration);
      present.set(kube.id, kube);
      await serve(kube, log, signal);
    } catch (error) {
      const { code, help } = error as Partial<QuorateError>;
      if (!signal.aborted)
        log.error({ code, help, reason: messageOf(error) }, 'a kube could not be served; trying again');
    } finally {
      present.delete(registration.id);
      await kube?.close();
    }
    // One that was served for longer than the longest delay had come back.
    if (performance.now() - startedMs > retry.capMs) attempt = 0;
    await wait(backoffMs(attempt++, retry), signal);
  }
}
