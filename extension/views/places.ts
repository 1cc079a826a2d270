// Places in backups as rows and commands pass them on: with the repository of the settings that has them.

import { Uri } from "vscode";
import { toUriParts } from "../model/repriseUri.js";
import type { ConfiguredRepository } from "../repositories/configured.js";

export interface ChosenPlace {
  configured: ConfiguredRepository;
  repositoryId: string;
  machine: string;
  snapshot: string;
  /** `/` for the whole snapshot. */
  path: string;
}

export function placeUri({ repositoryId, machine, snapshot, path }: Omit<ChosenPlace, "configured">): Uri {
  return Uri.from(toUriParts({ repositoryId, machine, snapshot, path }));
}
