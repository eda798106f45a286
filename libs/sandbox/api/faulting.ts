import type { IncomingMessage, ServerResponse } from 'node:http';
import { resourceTypes } from '../../kube/object.ts';
import { notFound } from '../status.ts';
import type { ApiContext } from './context.ts';
import { unknownPath } from './listing.ts';
import { readBody } from './request.ts';
import { sendJson } from './respond.ts';

/**
 * Serves the sandbox's own paths, by which a person or a test breaks things on demand:
 *
 * - `GET /sandbox/faults`: the rules in force for the API's requests
 * - `PUT /sandbox/faults`: replaces them; `../faults.ts` says what a rule can do
 * - `POST /sandbox/node/die`: the node dies with all its containers; answered when they have ended
 * - `POST /sandbox/node/revive`: the node comes back and starts again what is still wanted
 * - `POST /sandbox/claims/<namespace>/<name>/empty`: the disk of a claim is lost; the claim itself stays
 *
 * A POST needs no body, and is answered with an empty object. With kubectl:
 * `kubectl create --raw /sandbox/node/die -f /dev/null`.
 */
export async function serveFaults(
  { faults, node, store }: ApiContext,
  parts: string[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [subject = '', ...rest] = parts;
  switch (`${request.method} ${subject}`) {
    case 'PUT faults':
      faults.set((await readBody(request)).body, store.resourceVersion());
      return sendJson(response, 200, faults.rules());
    case 'GET faults':
      return sendJson(response, 200, faults.rules());
    case 'POST node':
      if (rest.join('/') === 'die') await node.die();
      else if (rest.join('/') === 'revive') node.revive();
      else throw unknownPath();
      return sendJson(response, 200, {});
    case 'POST claims': {
      const [namespace = '', name = '', action] = rest;
      if (action !== 'empty' || rest.length !== 3) throw unknownPath();
      if (!node.emptyClaim(namespace, name)) throw notFound(resourceTypes.claim, name);
      return sendJson(response, 200, {});
    }
    default:
      throw unknownPath();
  }
}
