import { readFileSync } from 'node:fs';
import { type ConnectionOptions, credsAuthenticator } from '@nats-io/transport-node';
import type { ServerAccess } from '../service/access.ts';

/**
 * The library's options for this access. Where encryption is asked for, by a `tls://` URL or by certificates, it
 * makes no other connection. Files are read at every connection, so that renewed ones are taken.
 */
export function connectionOptions(access: ServerAccess): ConnectionOptions {
  const urls = access.url.split(',').map((url) => new URL(url.trim()));
  const { credentialsPath, authorityPath, certificatePath, keyPath } = access;
  const isEncrypted =
    urls.some(({ protocol }) => protocol === 'tls:') ||
    authorityPath !== undefined ||
    certificatePath !== undefined;
  const tls = {
    ...(authorityPath !== undefined && { caFile: authorityPath }),
    ...(certificatePath !== undefined && { certFile: certificatePath }),
    ...(keyPath !== undefined && { keyFile: keyPath }),
  };
  return {
    servers: urls.map(({ host }) => host),
    ...identity(access, urls),
    ...(credentialsPath !== undefined && {
      authenticator: credsAuthenticator(() => readFileSync(credentialsPath)),
    }),
    ...(isEncrypted && { tls }),
  };
}

/** Settings go before what the URLs say, where a name without a password is a token, as NATS' own clients have it. */
function identity(
  { user, password, token }: ServerAccess,
  urls: URL[],
): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  if (token !== undefined) return { token };
  if (user !== undefined) return { user, ...(password !== undefined && { pass: password }) };
  const named = urls.find(({ username }) => username !== '');
  if (named === undefined) return {};
  const name = decodeURIComponent(named.username);
  return named.password === '' ? { token: name } : { user: name, pass: decodeURIComponent(named.password) };
}
