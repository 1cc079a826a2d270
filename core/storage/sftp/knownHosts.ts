// Which host keys are trusted for a server: OpenSSH's known_hosts format (man sshd, SSH_KNOWN_HOSTS FILE FORMAT), with
// hashed names, patterns and @revoked. Certificates (@cert-authority) are not read: they need the system's ssh.

import { createHash, createHmac } from "node:crypto";

export interface HostKey {
  /** For example `ssh-ed25519`. */
  type: string;
  /** In the form that goes over the line, which begins with the type. */
  blob: Uint8Array;
}

export interface KnownKeys {
  trusted: HostKey[];
  revoked: HostKey[];
}

/** The keys that `text`, the contents of a known_hosts file, has for a host. Lines that make no sense are skipped. */
export function findKnownKeys(text: string, host: string, port: number): KnownKeys {
  const name = hostName(host, port);
  const found: KnownKeys = { trusted: [], revoked: [] };
  for (const line of text.split("\n")) {
    const match = /^\s*(?:(@\S+)\s+)?([^\s#@]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(line);
    if (match === null) continue;
    const [, marker, names, type, base64] = match as unknown as [string, string | undefined, string, string, string];
    if (!isNamed(names, name)) continue;
    const key = { type, blob: new Uint8Array(Buffer.from(base64, "base64")) };
    if (marker === undefined) found.trusted.push(key);
    else if (marker === "@revoked") found.revoked.push(key);
  }
  return found;
}

/** As known_hosts has it: `host`, or `[host]:port` for other ports than 22. */
export function hostName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** `SHA256:` and 43 characters, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** The type that a key's own bytes name; `unknown` when they name none. */
export function keyType(blob: Uint8Array): string {
  const length = blob.length < 4 ? 0 : new DataView(blob.buffer, blob.byteOffset, 4).getUint32(0);
  const name = length <= 64 ? Buffer.from(blob.subarray(4, 4 + length)).toString("latin1") : "";
  return /^[a-z0-9@.-]+$/.test(name) ? name : "unknown";
}

export function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isNamed(names: string, name: string): boolean {
  if (names.startsWith("|")) return isHashOf(names, name);
  let named = false;
  for (const pattern of names.toLowerCase().split(",")) {
    if (pattern.startsWith("!")) {
      if (matches(pattern.slice(1), name)) return false;
    } else if (matches(pattern, name)) {
      named = true;
    }
  }
  return named;
}

/** `|1|salt|HMAC-SHA-1 of the name`. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = "", digest] = hashed.split("|");
  if (version !== "1") return false;
  return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === digest;
}

/** With `*` and `?`. Linear: a file of others must not be able to make this slow. */
function matches(pattern: string, name: string): boolean {
  let [at, star, retry] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      retry = index;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[index])) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++retry;
    } else {
      return false;
    }
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}
