// What commands on repositories work with: the configuration, and repositories that are opened when they are needed.

import {
  ConfiguredRepositories,
  type Environment,
  folderOfConfig,
  isOurError,
  type RepriseConfig,
  type RunOptions,
  resolveSecret,
  type SigningKey,
  signingKeyFromVariables,
  signingKeyOf,
  systemEnvironment,
} from "../core/index.js";
import { publishingFolder } from "./checkout.js";
import type { CommandStep } from "./commandStep.js";
import { loadConfiguration } from "./configuration.js";
import { eventLine } from "./eventLines.js";
import { ProgressLog } from "./progressLog.js";
import { VERSION } from "./version.js";

export interface WorkSession {
  config: RepriseConfig;
  environment: Environment;
  options: RunOptions;
}

/** Everything that was opened is closed afterwards, whatever happens. */
export async function withSession<T>(step: CommandStep, work: (session: WorkSession) => Promise<T>): Promise<T> {
  const config = withPublishing(await loadConfiguration(step), step.inputs.publish);
  const environment = systemEnvironment(VERSION);
  const { signal } = step;
  const { env } = step.runner;
  const say = (line: string) => {
    if (step.inputs.logLevel !== "quiet") step.runner.log(line);
  };
  const onWarning: RunOptions["onWarning"] = ({ message }) => say(`warning: ${message}`);
  const repositories = new ConfiguredRepositories(config, {
    ...{ env, environment, signal, onWarning },
    onRetry: ({ storage, reason, patienceMs }) =>
      say(`${storage} gives no answer (${reason}); trying again for up to ${Math.round(patienceMs / 1000)} s`),
    onFirstMeeting: (fingerprint) => say(`the keeper of this repository is ${fingerprint}; trust-keeper pins it`),
  });
  const options: RunOptions = {
    ...{ environment, repositories, signal, onWarning },
    onProgress: new ProgressLog(say, Date.now).onProgress,
    onEvent: (event) => {
      const line = eventLine(event);
      if (line !== null) say(line);
    },
    gitFolder: await publishingFolder(step),
    mustPublish: step.inputs.publish === true,
    secret: (reference) => resolveSecret(reference, { env, signal, folder: folderOfConfig(config) }),
  };
  try {
    return await work({ config, environment, options });
  } finally {
    await repositories.close();
  }
}

/** `publish`: what the step wants; null: what the file says. */
function withPublishing(config: RepriseConfig, publish: boolean | null): RepriseConfig {
  return publish === null ? config : { ...config, evidence: { ...config.evidence, publish } };
}

/** Keys that sign, none or one. A step that was not given the key that the configuration names signs nothing. SIGNING_KEY_INVALID. */
export async function signingKeysOf({ runner, signal }: CommandStep, config: RepriseConfig): Promise<SigningKey[]> {
  try {
    const key = await signingKeyOf(config, { env: runner.env, signal });
    return key === undefined ? [] : [key];
  } catch (error) {
    if (isOurError(error, "SECRET_MISSING")) return [];
    throw error;
  }
}

/** Of a step that has no configuration to name one. */
export async function signingKeysFromVariables({ runner, signal }: CommandStep): Promise<SigningKey[]> {
  const key = await signingKeyFromVariables(runner.env, signal);
  return key === undefined ? [] : [key];
}
