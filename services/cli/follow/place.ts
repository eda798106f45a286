import { resolve } from 'node:path';
import { QuorateError } from '../../../libs/errors/catalogue.ts';
import { readRun } from '../processes/folder.ts';
import { kubeFrom } from '../records/arguments.ts';

/** Where a command finds what it asks. */
export interface Place {
  /** The id of the kube, as the services name it. */
  kube: string;
  kubeconfigPath: string;
  /** `undefined` where nothing says where the records of passes are. */
  natsUrl: string | undefined;
}

/**
 * The API that KUBECONFIG names, or else that of the run in this folder; `kube` is its id where it is given one. Throws
 * CONFIG_INVALID without either.
 */
export async function findPlace(dir: string, kube?: string): Promise<Place> {
  const run = await readRun(resolve(dir));
  const kubeconfigPath = process.env['KUBECONFIG'] || run?.kubeconfigPath;
  if (kubeconfigPath === undefined) {
    throw new QuorateError(
      'CONFIG_INVALID',
      `KUBECONFIG is not set, and no "quorate up" runs in ${resolve(dir)}`,
    );
  }
  // The records of a run here are about the API of that run alone.
  const natsUrl =
    process.env['NATS_URL'] || (kubeconfigPath === run?.kubeconfigPath ? run.natsUrl : undefined);
  return { kube: kubeFrom(kube), kubeconfigPath, natsUrl };
}
