import { JetStreamApiError } from '@nats-io/jetstream';
import { headers as createHeaders } from '@nats-io/transport-node';
import { QuorateError } from '../errors/catalogue.ts';
import { type Connection, requestTimeoutMs, unreachable } from './connection.ts';
import { deadSubject } from './subjects.ts';

/** Left free of the server's limit on a message for its headers. */
const headerReserveBytes = 4096;
/** More of a buried message than this helps nobody. */
const buriedLimitBytes = 256 * 1024;

/** Headers of a message in DEAD. */
export const deadHeaders = {
  reason: 'Quorate-Reason',
  detail: 'Quorate-Detail',
  subject: 'Quorate-Subject',
  /** The payload's length before it was cut; only present where it was. */
  fullBytes: 'Quorate-Full-Bytes',
} as const;

export interface Burial {
  /** A few words joined by dashes, e.g. `not-json`; a part of the subject in DEAD. */
  reason: string;
  detail?: string;
  /** Where the message was, or was to go. */
  subject: string;
  payload: Uint8Array | string;
}

/**
 * Stores one message, once per id. Throws BUS_TOO_LARGE, which no retry cures, or BUS_UNREACHABLE when the
 * server did not confirm it: it may be stored or not, so try again with the same id.
 */
export async function publish(
  connection: Connection,
  message: { subject: string; payload: Uint8Array; id?: string; headers?: Record<string, string> },
): Promise<'stored' | 'duplicate'> {
  const { subject, payload, id } = message;
  const limitBytes = (connection.nats.info?.max_payload ?? Number.POSITIVE_INFINITY) - headerReserveBytes;
  if (payload.length > limitBytes) throw tooLarge(subject, payload.length, limitBytes);
  if (!connection.connected()) throw unreachable(new Error('no connection'));
  const headers = createHeaders();
  for (const [name, value] of Object.entries(message.headers ?? {})) headers.set(name, value);
  const send = () =>
    connection.answer(
      connection.jetstream.publish(subject, payload, {
        headers,
        timeout: requestTimeoutMs,
        ...(id === undefined ? {} : { msgID: id }),
      }),
    );
  try {
    return (await send()).duplicate ? 'duplicate' : 'stored';
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === messageTooLarge) {
      throw tooLarge(subject, payload.length, limitBytes);
    }
    if (!connection.connected()) throw unreachable(error);
    // Nobody took it: most likely the stream is missing. It is made again, and that decides.
    await connection.verify();
    try {
      return (await send()).duplicate ? 'duplicate' : 'stored';
    } catch (again) {
      throw unreachable(again);
    }
  }
}

/** JSMessageSizeExceedsMaximumErr of the server. */
const messageTooLarge = 10054;

function tooLarge(subject: string, sizeBytes: number, limitBytes: number): QuorateError {
  return new QuorateError('BUS_TOO_LARGE', `${sizeBytes} bytes on ${subject}`, {
    subject,
    sizeBytes,
    limitBytes,
  });
}

/** Puts what cannot be used aside, with the reason; throws BUS_UNREACHABLE. */
export async function bury(connection: Connection, burial: Burial): Promise<void> {
  const { reason, subject } = burial;
  const full = typeof burial.payload === 'string' ? new TextEncoder().encode(burial.payload) : burial.payload;
  const payload = full.subarray(0, buriedLimitBytes);
  // A header is one line of printable characters.
  const detail = (burial.detail ?? '').replace(/[^\x20-\x7e]+/g, ' ').slice(0, 1000);
  await publish(connection, {
    subject: deadSubject(reason),
    payload,
    headers: {
      [deadHeaders.reason]: reason,
      [deadHeaders.subject]: subject,
      ...(detail === '' ? {} : { [deadHeaders.detail]: detail }),
      ...(payload.length < full.length ? { [deadHeaders.fullBytes]: String(full.length) } : {}),
    },
  });
  connection.countBuried();
  connection.log.warn({ reason, subject, detail }, 'a message was put aside in the stream DEAD');
}
