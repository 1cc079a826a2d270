// Decides whether a server is the one that it should be: by the fingerprint of the location, else by known_hosts. A key
// that is not known is never accepted, and the error says how to pin it.

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { RepriseError } from "../../errors.js";
import { findKnownKeys, fingerprint, hostName, type KnownKeys, keyType, sameKey } from "./knownHosts.js";
import type { SftpPlace } from "./sftpLocation.js";

const DEFAULT_PORT = 22;

export interface HostKeyCheck {
  /** Types of the keys that are known, the ones to ask the server for first. */
  readonly types: readonly string[];
  /** The error for a key that is not trusted; undefined for one that is. */
  refuse(blob: Uint8Array): RepriseError | undefined;
}

/** Reads the known_hosts files, unless the location pins a fingerprint. */
export async function loadHostKeyCheck(place: SftpPlace): Promise<HostKeyCheck> {
  const { hostKey } = place;
  if (hostKey !== undefined) {
    return {
      types: [],
      refuse: (blob) =>
        fingerprint(blob) === hostKey ? undefined : hostKeyChanged(place, keyType(blob), fingerprint(blob)),
    };
  }
  const known = await readKnownKeys(place);
  return {
    types: [...new Set(known.trusted.map(({ type }) => type))],
    refuse: (blob) => judge(place, known, blob),
  };
}

function judge(place: SftpPlace, known: KnownKeys, blob: Uint8Array): RepriseError | undefined {
  const type = keyType(blob);
  if (known.revoked.some((key) => sameKey(key.blob, blob))) return hostKeyChanged(place, type, fingerprint(blob));
  if (known.trusted.some((key) => sameKey(key.blob, blob))) return undefined;
  if (known.trusted.length > 0) return hostKeyChanged(place, type, fingerprint(blob));
  return hostKeyUnknown(place, type, fingerprint(blob));
}

async function readKnownKeys({ host, port = DEFAULT_PORT, knownHosts }: SftpPlace): Promise<KnownKeys> {
  const usual = [join(homedir(), ".ssh/known_hosts"), join(homedir(), ".ssh/known_hosts2"), "/etc/ssh/ssh_known_hosts"];
  const all: KnownKeys = { trusted: [], revoked: [] };
  for (const path of knownHosts === undefined ? usual : [knownHosts]) {
    const { trusted, revoked } = findKnownKeys(await readText(path, knownHosts !== undefined), host, port);
    all.trusted.push(...trusted);
    all.revoked.push(...revoked);
  }
  return all;
}

async function readText(path: string, named: boolean): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if (!named) return "";
    throw new RepriseError("usage", "STORAGE_LOCATION_INVALID", `the known-hosts file ${path} cannot be read`, {
      data: { path },
      hint: "name a file in the format of ~/.ssh/known_hosts",
      cause,
    });
  }
}

export function hostKeyUnknown(place: SftpPlace, type: string, print: string): RepriseError {
  const name = hostName(place.host, place.port ?? DEFAULT_PORT);
  const message = `the host key of ${name} is not known; it is ${type} ${print}`;
  const option = `${place.location.includes("?") ? "&" : "?"}host-key=${print}`;
  return new RepriseError("backend", "SFTP_HOST_KEY_UNKNOWN", message, {
    data: { host: name, type, fingerprint: print },
    hint: `compare it on the server (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub); if it is the same, add ${option} to the location, or connect once with ssh, which writes it to ~/.ssh/known_hosts`,
  });
}

export function hostKeyChanged(place: SftpPlace, type: string, print: string): RepriseError {
  const name = hostName(place.host, place.port ?? DEFAULT_PORT);
  const message = `the host key of ${name} is not the one that is pinned; it is ${type} ${print}`;
  return new RepriseError("backend", "SFTP_HOST_KEY_CHANGED", message, {
    data: { host: name, type, fingerprint: print, pinned: place.hostKey ?? null },
    hint: `another machine may be posing as the server: do not go on before its administrator confirms the fingerprint; then pin it with host-key=${print}, or remove the old key with ssh-keygen -R '${name}'`,
  });
}
