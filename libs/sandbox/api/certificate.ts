// The x509 library needs this to be loaded before it.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

export interface ServerCertificate {
  /** All in PEM. */
  authority: string;
  certificate: string;
  key: string;
}

/** Issues certificates that are good for 127.0.0.1 and a name, which is localhost unless told. */
export interface Authority {
  /** Its own certificate, in PEM. */
  certificate: string;
  issue(
    commonName: string,
    usage: 'server' | 'client',
    dnsName?: string,
  ): Promise<{ certificate: string; key: string }>;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const yearMs = 365 * 24 * 3_600_000;

/** A new authority and a certificate of it for 127.0.0.1 and localhost, both valid for a year from `now`. */
export async function createCertificate(now: Date): Promise<ServerCertificate> {
  const authority = await createAuthority('quorate-sandbox', now);
  const issued = await authority.issue('quorate-sandbox-api', 'server');
  return { authority: authority.certificate, ...issued };
}

/** A new authority; it and what it issues are valid for a year from `now`. */
export async function createAuthority(commonName: string, now: Date): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto);
  const authorityKeys = await newKeys();
  // Clocks of clients on the same machine agree, but certificates count whole seconds.
  const validity = {
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: new Date(now.getTime() + yearMs),
  };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: '01',
    name: `CN=${commonName}`,
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  let serial = 1;
  return {
    certificate: authority.toString('pem'),
    async issue(subject, usage, dnsName = 'localhost') {
      const keys = await newKeys();
      const certificate = await x509.X509CertificateGenerator.create({
        ...validity,
        serialNumber: `0${++serial}`,
        subject: `CN=${subject}`,
        issuer: authority.subject,
        publicKey: keys.publicKey,
        signingKey: authorityKeys.privateKey,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.ExtendedKeyUsageExtension([
            usage === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
          ]),
          new x509.SubjectAlternativeNameExtension([
            { type: 'ip', value: '127.0.0.1' },
            { type: 'dns', value: dnsName },
          ]),
        ],
      });
      return { certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey) };
    },
  };
}

async function pemOf(privateKey: webcrypto.CryptoKey): Promise<string> {
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}
