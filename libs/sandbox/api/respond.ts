import type { ServerResponse } from 'node:http';
import { messageOf } from '../../errors/catalogue.ts';
import type { Log } from '../../service/log.ts';
import { ApiStatus } from '../status.ts';

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  mediaType = 'application/json',
): void {
  sendBytes(response, status, Buffer.from(JSON.stringify(body)), mediaType);
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  sendBytes(response, status, Buffer.from(text), 'text/plain');
}

export function sendBytes(
  response: ServerResponse,
  status: number,
  body: Uint8Array,
  mediaType: string,
): void {
  response.writeHead(status, { 'Content-Type': mediaType, 'Content-Length': body.byteLength });
  response.end(body);
}

/** Answers with the Status of what was thrown; what is no refusal of ours is a defect, and is logged. */
export function sendError(response: ServerResponse, error: unknown, log: Log): void {
  const refusal = error instanceof ApiStatus ? error : new ApiStatus(500, 'InternalError', messageOf(error));
  if (refusal !== error) log.error({ error }, 'the sandbox API failed');
  if (response.headersSent) response.destroy();
  else sendJson(response, refusal.code, refusal.body());
}
