// The repositories that the settings name. In a workspace that is not trusted the editor leaves out what the workspace says.

import { homedir } from "node:os";
import { ConfigurationTarget, workspace } from "vscode";

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
  for (const entry of rawEntries().slice(0, MAX_CONFIGURED)) {
    const { location, name } = (entry ?? {}) as { location?: unknown; name?: unknown };
    if (typeof location !== "string" || location === "") continue;
    if (!found.has(location)) found.set(location, { location, name: nameOf(location, name) });
  }
  return [...found.values()];
}

export async function addConfigured(repository: { location: string; name?: string }): Promise<void> {
  const others = rawEntries().filter((entry) => (entry as { location?: unknown })?.location !== repository.location);
  await workspace.getConfiguration().update(SECTION, [...others, repository], ConfigurationTarget.Global);
}

/** From every place of the settings that has it. */
export async function removeConfigured(location: string): Promise<void> {
  const configuration = workspace.getConfiguration();
  const places = configuration.inspect<unknown>(SECTION);
  const targets: [ConfigurationTarget, unknown][] = [
    [ConfigurationTarget.Global, places?.globalValue],
    [ConfigurationTarget.Workspace, places?.workspaceValue],
  ];
  for (const [target, entries] of targets) {
    if (!Array.isArray(entries)) continue;
    const rest = entries.filter((entry) => (entry as { location?: unknown } | null)?.location !== location);
    if (rest.length !== entries.length) await configuration.update(SECTION, rest, target);
  }
}

/** What the core is given: `~` at the beginning is the home folder. */
export function expandLocation(location: string): string {
  return location === "~" || location.startsWith("~/") ? homedir() + location.slice(1) : location;
}

function rawEntries(): unknown[] {
  const entries = workspace.getConfiguration().get<unknown>(SECTION);
  return Array.isArray(entries) ? entries : [];
}

/** The last part of the location, when nothing better is known. */
function nameOf(location: string, name: unknown): string {
  if (typeof name === "string" && name.trim() !== "") return name.trim();
  return /([^/\\]+)[/\\]*$/.exec(location)?.[1] ?? location;
}
