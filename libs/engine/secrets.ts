import { createHmac } from 'node:crypto';
import { isTooDeep } from './fit.ts';

/**
 * Keeps secrets out of everything that is stored or sent. Secret are the values of environment variables: in a pod,
 * in a custom resource, wherever a list of them stands. Each is replaced by a token, the same for the same value, so
 * that a change still shows; without the key of the digest nobody can try out guesses against it.
 */
export interface Secrets {
  /** Notes the secrets in an object of Kubernetes: from then on they are hidden in every text, too. */
  learn(object: unknown): void;
  /** The same JSON with tokens in place of all secrets that are known by then or stand in it. */
  hide<Value>(value: Value): Value;
  /** The same with secrets in place of tokens: for what is written to Kubernetes, and for nothing else. */
  reveal<Value>(value: Value): Value;
}

/** Copies of a whole spec in one text: what kubectl has applied, and what was accepted. */
const copies = ['kubectl.kubernetes.io/last-applied-configuration', 'quorate.io/accepted-spec'];

/**
 * Shorter values are not looked for in texts, such as the last words of a container: no password should be that
 * short (NIST SP 800-63B), and a text would be torn at every other word. In their own place they are hidden, too.
 */
const shortestInText = 8;

/** `publicNames`: what anybody may read, also where it is the value of some variable, e.g. the cluster's own name. */
export function openSecrets(digestKey: string, publicNames: string[] = []): Secrets {
  const keyId = digestOf(digestKey, 'the id of the key').slice(0, 4);
  const tokens = new Map<string, string>();
  const secrets = new Map<string, unknown>();
  /** What to look for in texts, the longest first, each with its token. */
  let inTexts: [string, string][] = [];

  /** The token of what is secret only where it stands. */
  function tokenInPlace(secret: unknown): string {
    const json = JSON.stringify(secret);
    const known = tokens.get(json);
    if (known !== undefined) return known;
    const token = `(secret ${keyId}-${digestOf(digestKey, json).slice(0, 16)})`;
    tokens.set(json, token);
    secrets.set(token, secret);
    return token;
  }

  function tokenOf(secret: unknown): string {
    const known = secrets.size;
    const token = tokenInPlace(secret);
    if (secrets.size === known) return token;
    const found = writingsOf(secret).map((text): [string, string] => [text, token]);
    inTexts.push(...found.filter(([text]) => text.length >= shortestInText && !publicNames.includes(text)));
    inTexts = inTexts.sort(([one], [other]) => other.length - one.length);
    return token;
  }

  const hideIn = (text: string): string =>
    inTexts.reduce((hidden, [secret, token]) => hidden.replaceAll(secret, token), text);

  /** What is a token already stays one. */
  const hideValue = (value: unknown): unknown => (secrets.has(String(value)) ? value : tokenOf(value));

  const hideVariable = (variable: unknown): unknown => {
    if (typeof variable !== 'object' || variable === null) return hideValue(variable);
    const entries = Object.entries(variable).map(([field, value]) => [
      field,
      field === 'name' || field === 'valueFrom' ? value : hideValue(value),
    ]);
    return Object.fromEntries(entries);
  };

  function walk(value: unknown): unknown {
    if (typeof value === 'string') {
      const copy = objectIn(value);
      if (copy === undefined) return isText(value) ? hideIn(value) : value;
      // Nobody looks for the secrets of a copy that the stack cannot follow, so all of it is one.
      return isTooDeep(copy) ? tokenInPlace(value) : hideIn(JSON.stringify(walk(copy)));
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).flatMap(([field, inner]): [string, unknown][] => {
      if (copies.includes(field)) return [];
      return [[field, isEnvironment(field, inner) ? inner.map(hideVariable) : walk(inner)]];
    });
    return Object.fromEntries(entries);
  }

  const revealed = (value: unknown): unknown => {
    if (typeof value === 'string') return secrets.has(value) ? secrets.get(value) : value;
    if (Array.isArray(value)) return value.map(revealed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, revealed(inner)]));
  };

  return {
    learn(object) {
      learnFrom(object, hideVariable);
    },
    hide<Value>(value: Value) {
      // Its own secrets first: a text may stand before the place that says what is secret in it.
      learnFrom(value, hideVariable);
      return (typeof value === 'string' ? hideIn(value) : walk(value)) as Value;
    },
    reveal: <Value>(value: Value) => revealed(value) as Value,
  };
}

const digestOf = (digestKey: string, text: string): string =>
  createHmac('sha256', digestKey).update(text).digest('hex');

/** A token, and the id of its key; records of before had no id in it. */
const tokenPattern = /\(secret (?:([0-9a-f]{4})-)?[0-9a-f]{16}\)/g;

/**
 * Two texts that may hold tokens, ready to be compared: tokens of different keys, such as two processes take that
 * were given none, say nothing about whether the secrets differ, and become alike.
 */
export function comparable(one: string, other: string): [string, string] {
  const keys = new Set([...`${one} ${other}`.matchAll(tokenPattern)].map(([, keyId]) => keyId));
  if (keys.size < 2) return [one, other];
  return [one.replaceAll(tokenPattern, '(secret)'), other.replaceAll(tokenPattern, '(secret)')];
}

function learnFrom(given: unknown, learn: (variable: unknown) => unknown): void {
  const value = typeof given === 'string' ? objectIn(given) : given;
  if (typeof value !== 'object' || value === null) return;
  if (typeof given === 'string' && isTooDeep(value)) return;
  for (const [field, inner] of Object.entries(value)) {
    if (isEnvironment(field, inner)) for (const variable of inner) learn(variable);
    else learnFrom(inner, learn);
  }
}

/** The object that a text is the JSON of: annotations keep copies of specs that way. */
function objectIn(text: string): object | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    // A text that only begins so.
    return undefined;
  }
}

/** A list of environment variables, by the name of its field: `env` of a container, `etcdEnv` of a resource. */
const isEnvironment = (field: string, value: unknown): value is unknown[] =>
  /^env$|Env$/.test(field) && Array.isArray(value);

/** Names, addresses, numbers and digests are never torn; a sentence, a log line or JSON may hold a secret. */
const isText = (value: string): boolean => /[\s"{}]/.test(value);

/** How a secret may stand in a text: as it is, line by line, and escaped as in JSON. */
function writingsOf(secret: unknown): string[] {
  if (typeof secret !== 'string') return [JSON.stringify(secret)];
  const escaped = JSON.stringify(secret).slice(1, -1);
  return [...new Set([secret, escaped, ...secret.split('\n').map((line) => line.trim())])];
}
