// With what to log in: the agent, a private key file, a password from the environment, in this order. Secrets come from
// here and go to the SSH library; they are in no error and no location.

import { readFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { RepriseError } from "../../errors.js";
import type { SftpPlace } from "./sftpLocation.js";

export type SftpEnvironment = Readonly<Record<string, string | undefined>>;

export interface SftpIdentity {
  user: string;
  /** Path of the agent's socket. */
  agent: string | undefined;
  /** Contents of private key files. */
  keys: { path: string; text: Uint8Array }[];
  /** For the key files. */
  passphrase: string | undefined;
  password: string | undefined;
}

const USUAL_KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/** Reads what there is. Throws `SFTP_IDENTITY_INVALID` when the key file that the location names cannot be read. */
export async function loadIdentity(place: SftpPlace, environment: SftpEnvironment): Promise<SftpIdentity> {
  const paths =
    place.identity === undefined ? USUAL_KEYS.map((name) => join(homedir(), ".ssh", name)) : [place.identity];
  const keys: SftpIdentity["keys"] = [];
  for (const path of paths) {
    const text = await readFile(path).catch((cause: unknown) => {
      if (place.identity !== undefined) throw identityInvalid(path, "cannot be read", cause);
      return undefined;
    });
    if (text !== undefined) keys.push({ path, text });
  }
  return {
    user: place.user ?? userInfo().username,
    agent: place.identity === undefined ? environment.SSH_AUTH_SOCK || undefined : undefined,
    keys,
    passphrase: environment.REPRISE_SFTP_KEY_PASSPHRASE || undefined,
    password: environment.REPRISE_SFTP_PASSWORD || undefined,
  };
}

const ANY_KEY = "name a private key file with ?identity=FILE; for an encrypted one set REPRISE_SFTP_KEY_PASSPHRASE";

/** `passphrase`: the one that was tried. */
export function identityLocked(path: string, passphrase: string | undefined): RepriseError {
  return passphrase === undefined
    ? identityInvalid(path, "is encrypted", undefined, "set REPRISE_SFTP_KEY_PASSPHRASE, or use an agent")
    : identityInvalid(
        path,
        "cannot be decrypted",
        undefined,
        "REPRISE_SFTP_KEY_PASSPHRASE is not this key's passphrase",
      );
}

export function identityInvalid(path: string, why: string, cause?: unknown, hint = ANY_KEY): RepriseError {
  return new RepriseError("usage", "SFTP_IDENTITY_INVALID", `the private key ${path} ${why}`, {
    data: { path },
    hint,
    cause,
  });
}

export function authenticationFailed(place: SftpPlace, tried: readonly string[]): RepriseError {
  const how = tried.length === 0 ? "nothing to log in with was found" : `tried: ${tried.join(", ")}`;
  return new RepriseError("backend", "SFTP_AUTH_FAILED", `${place.shown} does not let us in; ${how}`, {
    data: { location: place.shown, tried },
    hint: "use an agent (SSH_AUTH_SOCK), a key file (?identity=FILE, REPRISE_SFTP_KEY_PASSPHRASE) or REPRISE_SFTP_PASSWORD; is the user name right?",
  });
}
