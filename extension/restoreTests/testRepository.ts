// Which repository a restore test is made from: the one that a policy names, or the only one there is, or the one that is picked.

import { l10n, type Memento, type Uri, window } from "vscode";
import { isSameLocation } from "../model/location.js";
import type { Policies } from "../policy/policies.js";
import { type ConfiguredRepository, configuredRepositories } from "../repositories/configured.js";
import type { PolicyData } from "../service/policyProtocol.js";

const KEY = "repositoryOfTests";

export class TestRepository {
  readonly #policies: Policies;
  readonly #memory: Memento;

  constructor(policies: Policies, memory: Memento) {
    this.#policies = policies;
    this.#memory = memory;
  }

  /** Undefined: the user gave up. A repository of a policy need not be in the settings. */
  async choose(file: Uri, test: string): Promise<ConfiguredRepository | undefined> {
    const named = await this.#named(file, test);
    const configured = configuredRepositories();
    const candidates = [
      ...named,
      ...configured.filter(({ location }) => !named.some((each) => isSameLocation(each.location, location))),
    ];
    if (named.length === 1) return named[0];
    if (candidates.length === 1) return candidates[0];
    return await this.#ask(candidates, `${file.toString()} ${test}`, test);
  }

  /** Those of the policies that know the test, as far as something says where they are. */
  async #named(file: Uri, test: string): Promise<ConfiguredRepository[]> {
    const policies = await this.#policies.soundPolicies();
    const knows = ({ restoreTests }: PolicyData) =>
      restoreTests.some((each) => each.name === test && each.file === file.fsPath);
    const found = policies.filter(({ data }) => knows(data)).flatMap(({ data }) => repositoriesFor(data));
    const known = configuredRepositories();
    return found.flatMap(({ name, location }) => {
      if (location === null) return [];
      return [known.find((each) => isSameLocation(each.location, location)) ?? { name, location }];
    });
  }

  async #ask(candidates: readonly ConfiguredRepository[], key: string, test: string) {
    if (candidates.length === 0) {
      void window.showInformationMessage(l10n.t("Add the repository to the Backups view first."));
      return undefined;
    }
    const before = this.#memory.get<Record<string, string>>(KEY, {});
    const items = candidates
      .map((configured) => ({ label: configured.name, description: configured.location, configured }))
      .sort((a, b) => Number(b.description === before[key]) - Number(a.description === before[key]));
    const title = l10n.t("Which repository has the backups for {0}?", test);
    const picked = (await window.showQuickPick(items, { title }))?.configured;
    if (picked !== undefined) await this.#memory.update(KEY, { ...before, [key]: picked.location });
    return picked;
  }
}

/** Jobs that make restore tests say which; without one, each of the policy may be meant. */
function repositoriesFor({ jobs, repositories }: PolicyData): PolicyData["repositories"] {
  const named = new Set(jobs.filter(({ command }) => command === "restore-test").map(({ repository }) => repository));
  return repositories.filter(({ name }) => named.size === 0 || named.has(name));
}
