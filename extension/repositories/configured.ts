// The repositories that the settings name, the user's and the workspace's. What a workspace says that is not trusted is left out.

import { ConfigurationTarget, type WorkspaceConfiguration, workspace } from "vscode";

export interface ConfiguredRepository {
  /** As the settings spell it; the identity of an entry. */
  location: string;
  name: string;
}

const SECTION = "reprise.repositories";
const MAX_CONFIGURED = 64;

/** What has the wrong shape is left out: the settings editor shows what is wrong with it. */
export function configuredRepositories(): ConfiguredRepository[] {
  const found = new Map<string, ConfiguredRepository>();
  const entries = places().flatMap((place) => place.entries);
  for (const entry of entries.slice(0, MAX_CONFIGURED)) {
    const { location, name } = (entry ?? {}) as { location?: unknown; name?: unknown };
    if (typeof location !== "string" || location === "") continue;
    if (!found.has(location)) found.set(location, { location, name: nameOf(location, name) });
  }
  return [...found.values()];
}

/** Into the user's settings. */
export async function addConfigured(repository: { location: string; name?: string }): Promise<void> {
  const own = places().find(({ target }) => target === ConfigurationTarget.Global)?.entries ?? [];
  const others = own.filter((entry) => locationOf(entry) !== repository.location);
  await workspace.getConfiguration().update(SECTION, [...others, repository], ConfigurationTarget.Global);
}

/** From every place of the settings that has it. */
export async function removeConfigured(location: string): Promise<void> {
  for (const { configuration, target, entries } of places()) {
    const rest = entries.filter((entry) => locationOf(entry) !== location);
    if (rest.length !== entries.length) await configuration.update(SECTION, rest, target);
  }
}

interface SettingsPlace {
  configuration: WorkspaceConfiguration;
  target: ConfigurationTarget;
  entries: readonly unknown[];
}

/** The editor would take the list of the workspace instead of the user's; here both count. */
function places(): SettingsPlace[] {
  const configuration = workspace.getConfiguration();
  const values = configuration.inspect<unknown>(SECTION);
  const place = (configured: WorkspaceConfiguration, target: ConfigurationTarget, value: unknown): SettingsPlace => {
    return { configuration: configured, target, entries: Array.isArray(value) ? value : [] };
  };
  const own = place(configuration, ConfigurationTarget.Global, values?.globalValue);
  if (!workspace.isTrusted) return [own];
  const folders = (workspace.workspaceFolders ?? []).map(({ uri }) => {
    const ofFolder = workspace.getConfiguration(undefined, uri);
    const value = ofFolder.inspect<unknown>(SECTION)?.workspaceFolderValue;
    return place(ofFolder, ConfigurationTarget.WorkspaceFolder, value);
  });
  return [own, place(configuration, ConfigurationTarget.Workspace, values?.workspaceValue), ...folders];
}

function locationOf(entry: unknown): unknown {
  return (entry as { location?: unknown } | null)?.location;
}

/** The last part of the location, when nothing better is known. */
function nameOf(location: string, name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name.trim();
  return /([^/\\]+)[/\\]*$/.exec(location)?.[1] ?? location;
}
