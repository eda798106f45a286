import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createAccount,
  createOperator,
  createUser,
  encodeAccount,
  encodeOperator,
  encodeUser,
  fmtCreds,
} from '@nats-io/jwt';
import { createAuthority } from '../../libs/sandbox/api/certificate.ts';

/** Certificates of one authority for a server and a client, in files of a folder of its own. */
export interface Certificates {
  readonly dir: string;
  readonly serverAuthority: string;
  readonly server: { certificate: string; key: string };
  /** For a client, as its settings name them. */
  readonly client: { authorityPath: string; certificatePath: string; keyPath: string };
  /** Replaces all of them by those of a new authority. */
  renew(): Promise<void>;
  remove(): Promise<void>;
}

export async function createCertificates(): Promise<Certificates> {
  const dir = await mkdtemp(join(tmpdir(), 'quorate-certificates-'));
  const path = (name: string) => join(dir, `${name}.pem`);
  const certificates: Certificates = {
    dir,
    serverAuthority: path('authority'),
    server: { certificate: path('server'), key: path('server-key') },
    client: {
      authorityPath: path('authority'),
      certificatePath: path('client'),
      keyPath: path('client-key'),
    },
    async renew() {
      const authority = await createAuthority('quorate-test', new Date());
      const [server, client] = await Promise.all([
        authority.issue('server', 'server'),
        authority.issue('client', 'client'),
      ]);
      const files = {
        authority: authority.certificate,
        server: server.certificate,
        'server-key': server.key,
        client: client.certificate,
        'client-key': client.key,
      };
      await Promise.all(Object.entries(files).map(([name, text]) => writeFile(path(name), text)));
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  };
  await certificates.renew();
  return certificates;
}

/** A configuration of nats-server that trusts one operator, and a file with the credentials of a user. */
export async function createCredentials(
  dir: string,
): Promise<{ configPath: string; credentialsPath: string }> {
  const operator = createOperator();
  const system = createAccount();
  const account = createAccount();
  const user = createUser();
  // What is not said is not allowed.
  const unlimited = {
    ...{ conn: -1, subs: -1, data: -1, payload: -1, exports: -1, imports: -1, wildcards: true },
    ...{ mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
  };
  const operatorJwt = await encodeOperator('test', operator, { system_account: system.getPublicKey() });
  const systemJwt = await encodeAccount('system', system, {}, { signer: operator });
  const accountJwt = await encodeAccount('test', account, { limits: unlimited }, { signer: operator });
  const userJwt = await encodeUser('quorate', user, account, {});
  const configPath = join(dir, 'nats.conf');
  const credentialsPath = join(dir, 'user.creds');
  await writeFile(
    configPath,
    `operator: ${operatorJwt}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: { ${system.getPublicKey()}: ${systemJwt}, ${account.getPublicKey()}: ${accountJwt} }
`,
  );
  await writeFile(credentialsPath, fmtCreds(userJwt, user));
  return { configPath, credentialsPath };
}
