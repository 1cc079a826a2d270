// For verbs that go by reprise.yml: the configuration, its repositories, and what the options of every verb change about them.

import {
  ConfiguredRepositories,
  DEFAULT_CONFIG_PATH,
  folderOfConfig,
  loadConfig,
  type RepriseConfig,
  type RunOptions,
  resolveSecret,
  type SigningKey,
  signingKeyOf,
} from "../core/index.js";
import type { Context } from "./context.js";
import type { Given } from "./given/given.js";
import type { OptionSpec } from "./lineSpec.js";
import { readSigningKey } from "./secret/signingKeySource.js";

export const CONFIG_OPTION: OptionSpec = {
  flags: "--config <file>",
  description: "the configuration",
  standard: DEFAULT_CONFIG_PATH,
  completes: "file",
};

export const MACHINE_OPTION: OptionSpec = {
  flags: "--machine <machine>",
  description: "only this machine, as in vm/web1; several times",
  many: true,
  completes: "group",
};

export interface Configured {
  config: RepriseConfig;
  options: RunOptions;
}

/** CONFIG_INVALID, CONFIG_UNREADABLE. Repositories are opened as they are needed, and closed after the verb. */
export async function openConfigured(context: Context, given: Given): Promise<Configured> {
  const { environment, signal, onWarning, onProgress, settings, connecting } = context;
  const config = await loadConfig(given.text("config") ?? DEFAULT_CONFIG_PATH, signal);
  const env = variablesOf(context);
  const opening = { env, environment, cacheFolder: settings.cacheFolder, onWarning, ...connecting };
  const onFirstMeeting = (fingerprint: string) =>
    context.note(`met the keeper ${fingerprint} for the first time; it is remembered`);
  const repositories = context.closeLater(new ConfiguredRepositories(config, { ...opening, onFirstMeeting }));
  const folder = folderOfConfig(config);
  return {
    config,
    options: {
      ...{ environment, repositories, signal, onWarning, onProgress },
      gitFolder: folder,
      secret: (reference) => resolveSecret(reference, { env, folder, signal }),
    },
  };
}

/** --signing-key, else as the configuration says; empty: none. */
export async function configuredSigningKeys(
  context: Context,
  given: Given,
  config: RepriseConfig,
): Promise<SigningKey[]> {
  const key = given.has("signingKey")
    ? await readSigningKey(given, context.io)
    : await signingKeyOf(config, { env: context.io.env, signal: context.signal });
  return key === undefined ? [] : [key];
}

/** The options --passphrase-file, --keeper-key and --trust-keeper stand for the variables that say the same. */
function variablesOf({ io, settings }: Context): Record<string, string | undefined> {
  const { passphraseFile, keeperKeyFile, trustKeeper } = settings;
  return {
    ...io.env,
    ...(passphraseFile === undefined
      ? {}
      : { REPRISE_PASSPHRASE: undefined, REPRISE_PASSPHRASE_FILE: passphraseFile, REPRISE_RECOVERY_KEY: undefined }),
    ...(keeperKeyFile === undefined ? {} : { REPRISE_KEEPER_KEY: undefined, REPRISE_KEEPER_KEY_FILE: keeperKeyFile }),
    ...(trustKeeper === undefined ? {} : { REPRISE_TRUST_KEEPER: trustKeeper }),
  };
}
