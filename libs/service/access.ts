import type { z } from 'zod';
import type { natsSettings, redisSettings } from './config.ts';

/** Where a server is and how to be let in. Paths name files, which are read again at every new connection. */
export interface ServerAccess {
  /** May hold a user and a password; for NATS there may be several, separated by commas. */
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  token?: string | undefined;
  /** A JWT and the seed to sign with, as NATS' own tools write them. */
  credentialsPath?: string | undefined;
  /** Certificates in PEM of who may vouch for the server. */
  authorityPath?: string | undefined;
  /** Certificate and private key in PEM that this client shows. */
  certificatePath?: string | undefined;
  keyPath?: string | undefined;
}

export function natsAccess(config: z.infer<typeof natsSettings>): ServerAccess {
  return {
    url: config.NATS_URL,
    user: config.NATS_USER,
    password: config.NATS_PASSWORD,
    token: config.NATS_TOKEN,
    credentialsPath: config.NATS_CREDS,
    authorityPath: config.NATS_CA,
    certificatePath: config.NATS_CERT,
    keyPath: config.NATS_KEY,
  };
}

export function redisAccess(config: z.infer<typeof redisSettings>): ServerAccess {
  return {
    url: config.REDIS_URL,
    user: config.REDIS_USERNAME,
    password: config.REDIS_PASSWORD,
    authorityPath: config.REDIS_CA,
    certificatePath: config.REDIS_CERT,
    keyPath: config.REDIS_KEY,
  };
}

/** The URLs as they may be shown: what stands before the @ is a password or a token. */
export function shownUrl(url: string): string {
  return url
    .split(',')
    .map((each) => each.trim().replace(/\/\/.*@/, '//'))
    .join(',');
}
