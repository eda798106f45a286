/** Where an API is, and what a request to it needs. */
export interface Credentials {
  server: string;
  proxyUrl?: string | undefined;
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
    rejectUnauthorized?: boolean;
  };
  headers: Record<string, string>;
}

/** Gives the credentials for the next request. Throws KUBE_UNREACHABLE where they cannot be had just now. */
export type CredentialsSource = () => Promise<Credentials>;
