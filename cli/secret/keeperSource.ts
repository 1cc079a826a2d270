// Where the keeper's private key comes from, and which keeper is trusted: options or the environment. Never an argument
// that holds the key itself.

import {
  defaultStateFolder,
  type KeeperKey,
  type KeeperTrust,
  keeperKeyFromVariables,
  readKeeperKeyFile,
} from "../../core/index.js";
import { usageError } from "../given/given.js";
import type { GlobalSettings } from "../globalOptions.js";
import type { CliIo } from "../io.js";

/** --keeper-key FILE, REPRISE_KEEPER_KEY (the key itself), REPRISE_KEEPER_KEY_FILE; undefined: not the keeper. KEEPER_KEY_INVALID. */
export async function readKeeperKey(
  { keeperKeyFile }: Pick<GlobalSettings, "keeperKeyFile">,
  { env, signal }: Pick<CliIo, "env" | "signal">,
): Promise<KeeperKey | undefined> {
  if (keeperKeyFile !== undefined) return await readKeeperKeyFile(keeperKeyFile, signal);
  return await keeperKeyFromVariables(env, signal);
}

/** --trust-keeper or REPRISE_TRUST_KEEPER instead of what this user has met before. */
export function keeperTrust(
  { trustKeeper }: Pick<GlobalSettings, "trustKeeper">,
  { env }: Pick<CliIo, "env">,
  onFirstMeeting: (fingerprint: string) => void,
): KeeperTrust {
  const expected = trustKeeper ?? (env.REPRISE_TRUST_KEEPER || undefined);
  if (expected !== undefined && !/^([0-9a-f]{32}|none)$/.test(expected)) {
    throw usageError(
      `"${expected}" is no fingerprint of a keeper`,
      "32 hex digits, as reprise key keeper prints them; or none",
    );
  }
  return { stateFolder: defaultStateFolder({ ...env }), expected, onFirstMeeting };
}
