// Secrets where nothing else is said: the variables REPRISE_… of the environment, which hold a secret or the name of its file.

import { KeeperKey } from "../crypto/keeperKey.js";
import { looksLikeRecoveryKey } from "../crypto/recoveryKey.js";
import { RepriseError } from "../errors.js";
import { SigningKey } from "../evidence/signingKey.js";
import type { GivenSecret } from "../repository/keys.js";
import { readPemFile } from "./pemFile.js";
import { readSecretFile } from "./secretFile.js";

export type Variables = Readonly<Record<string, string | undefined>>;

/** PASSPHRASE, PASSPHRASE_FILE, RECOVERY_KEY behind `prefix`; undefined: none is set. PASSPHRASE_FILE_UNREADABLE. */
export async function passphraseFromVariables(
  env: Variables,
  signal: AbortSignal,
  prefix = "REPRISE_",
): Promise<string | undefined> {
  const [passphrase, file] = [env[`${prefix}PASSPHRASE`], env[`${prefix}PASSPHRASE_FILE`]];
  if (passphrase) return passphrase;
  if (file) return await readSecretFile(file, signal);
  return env[`${prefix}RECOVERY_KEY`] || undefined;
}

/** What looks like a recovery key is one, wherever it was given. */
export function asGivenSecret(text: string): GivenSecret {
  return looksLikeRecoveryKey(text) ? { recoveryKey: text } : { passphrase: text };
}

/** REPRISE_KEEPER_KEY (the key itself), REPRISE_KEEPER_KEY_FILE; undefined: not the keeper. KEEPER_KEY_INVALID. */
export async function keeperKeyFromVariables(env: Variables, signal: AbortSignal): Promise<KeeperKey | undefined> {
  if (env.REPRISE_KEEPER_KEY) return KeeperKey.fromPem(env.REPRISE_KEEPER_KEY);
  if (env.REPRISE_KEEPER_KEY_FILE) return await readKeeperKeyFile(env.REPRISE_KEEPER_KEY_FILE, signal);
  return undefined;
}

/** KEEPER_KEY_INVALID. */
export async function readKeeperKeyFile(path: string, signal: AbortSignal): Promise<KeeperKey> {
  const pem = await readPemFile(path, signal, (what, details) => {
    return new RepriseError("key", "KEEPER_KEY_INVALID", `the keeper's key in ${path} ${what}`, details);
  });
  return KeeperKey.fromPem(pem);
}

/** REPRISE_SIGNING_KEY (the PEM itself), REPRISE_SIGNING_KEY_FILE; undefined: none. SIGNING_KEY_INVALID. */
export async function signingKeyFromVariables(env: Variables, signal: AbortSignal): Promise<SigningKey | undefined> {
  if (env.REPRISE_SIGNING_KEY) return SigningKey.fromPem(env.REPRISE_SIGNING_KEY);
  if (env.REPRISE_SIGNING_KEY_FILE) return await readSigningKeyFile(env.REPRISE_SIGNING_KEY_FILE, signal);
  return undefined;
}

/** SIGNING_KEY_INVALID. */
export async function readSigningKeyFile(path: string, signal: AbortSignal): Promise<SigningKey> {
  const pem = await readPemFile(path, signal, (what, details) => {
    return new RepriseError("key", "SIGNING_KEY_INVALID", `the signing key in ${path} ${what}`, details);
  });
  return SigningKey.fromPem(pem);
}
