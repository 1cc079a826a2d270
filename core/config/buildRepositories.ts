// The repositories of a configuration. Locations with credentials are refused, and not repeated.

import { isOurError } from "../errors.js";
import { parseS3Location } from "../storage/s3/s3Location.js";
import { parseSftpLocation } from "../storage/sftp/sftpLocation.js";
import { parseSize } from "../yaml/units.js";
import { type Building, entriesAt } from "./building.js";
import type { RawConfig } from "./rawConfig.js";
import type { RepositoryConfig } from "./repriseConfig.js";
import { parseSecretReference, secretField } from "./secretReference.js";

export function buildRepositories({ repositories }: RawConfig, building: Building): RepositoryConfig[] {
  const found = entriesAt(repositories, "/repositories").map(
    ({ name, raw, at }): RepositoryConfig => ({
      name,
      location: buildLocation(raw.location, `${at}/location`, building),
      id: raw.id ?? null,
      passphrase: secretField(raw.passphrase),
      keeperKey: secretField(raw["keeper-key"]),
      trustKeeper: raw["trust-keeper"] ?? null,
      bandwidthLimit: buildRate(raw["bandwidth-limit"], `${at}/bandwidth-limit`, building),
      line: building.problems.lineOfKey(at),
    }),
  );
  checkDistinct(found, building);
  return found;
}

/** The variable that decides where a repository is, whatever the file says. */
export function locationVariable(name: string): string {
  return `REPRISE_REPOSITORY_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

function buildLocation(text: string, at: string, { problems }: Building): RepositoryConfig["location"] {
  const reference = parseSecretReference(text);
  if (reference?.kind === "env") return reference;
  const problem = text.startsWith("env:") ? "location: env: needs the name of a variable" : locationProblem(text);
  if (problem !== null) problems.add(at, problem);
  return { kind: "text", text: problem === null ? text : "" };
}

function locationProblem(location: string): string | null {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(location)?.[1]?.toLowerCase();
  try {
    if (scheme === "s3") parseS3Location(location);
    else if (scheme === "sftp") parseSftpLocation(location);
    else if (location.includes("\0")) return "location is no path";
    else if (scheme !== undefined && scheme !== "file" && scheme !== "memory") {
      return "location must be a folder, or a URL that begins with file:, s3: or sftp:";
    }
    return null;
  } catch (error) {
    if (isOurError(error)) return `location: ${error.message}${error.hint === undefined ? "" : `; ${error.hint}`}`;
    throw error;
  }
}

function buildRate(given: string | number | undefined, at: string, { problems }: Building): number | null {
  if (given === undefined) return null;
  const bytes = parseSize(typeof given === "string" ? given.replace(/\/s$/, "") : given);
  if (bytes === null || bytes < 1)
    problems.add(at, `bandwidth-limit: ${JSON.stringify(given)} is no rate such as 20MiB`);
  return bytes;
}

function checkDistinct(found: readonly RepositoryConfig[], { problems, warnings }: Building): void {
  const variables = new Map<string, string>();
  const places = new Map<string, string>();
  for (const { at, name } of entriesAt(Object.fromEntries(found.map((each) => [each.name, each])), "/repositories")) {
    const repository = found.find((each) => each.name === name)!;
    if (name === "branch")
      problems.addAtKey(at, "a repository must not be called branch: for gates that is the evidence branch");
    const variable = locationVariable(name);
    const other = variables.get(variable);
    if (other !== undefined) problems.addAtKey(at, `${name} and ${other} are too much alike: both mean ${variable}`);
    variables.set(variable, name);
    const place = JSON.stringify(repository.location);
    const same = places.get(place);
    if (same !== undefined) warnings.add(`${at}/location`, `${name} and ${same} are the same place`);
    places.set(place, name);
  }
}
