// Names where names belong: machines, repositories and restore tests, of the file itself and of the repositories that are open.

import {
  type CancellationToken,
  CompletionItem,
  CompletionItemKind,
  type CompletionItemProvider,
  l10n,
  type Position,
  Range,
  type TextDocument,
} from "vscode";
import { whileWanted } from "../adapt/cancellation.js";
import { type NameKind, nameKindAt, yamlPlaceAt } from "../model/yamlPlace.js";
import type { PolicyData } from "../service/policyProtocol.js";
import type { MachineStates } from "./machineStates.js";
import { isOurs, type Policies } from "./policies.js";

interface Name {
  name: string;
  detail: string;
}

export class NameCompletions implements CompletionItemProvider {
  readonly #policies: Policies;
  readonly #states: MachineStates;

  constructor(policies: Policies, states: MachineStates) {
    this.#policies = policies;
    this.#states = states;
  }

  async provideCompletionItems(
    document: TextDocument,
    position: Position,
    token: CancellationToken,
  ): Promise<CompletionItem[]> {
    if (!isOurs(document)) return [];
    const place = yamlPlaceAt(document.getText().split("\n"), position.line, position.character);
    const kind = nameKindAt(place);
    if (kind === undefined) return [];
    const names = (await whileWanted(token, this.#names(kind, document))) ?? [];
    const range = new Range(position.line, place.start, position.line, place.end);
    return names.map(({ name, detail }, at) => {
      const item = new CompletionItem(name, CompletionItemKind.Value);
      item.detail = detail;
      item.range = range;
      item.sortText = String(at).padStart(4, "0");
      return item;
    });
  }

  async #names(kind: NameKind, document: TextDocument): Promise<Name[]> {
    const [what, , other] = kind.split(" ");
    const own = await this.#policiesFor(document);
    const others = other === undefined ? [] : [{ name: other, detail: "" }];
    if (what === "repository") {
      const found = own.flatMap(({ repositories }) => repositories);
      return [...found.map(({ name, location }) => ({ name, detail: location ?? "" })), ...others];
    }
    if (what === "test") {
      const found = own.flatMap(({ restoreTests }) => restoreTests);
      return [...found.map(({ name, description }) => ({ name, detail: description })), ...others];
    }
    const known = new Map(
      own.flatMap(({ machines }) => machines.map(({ machine, owner }) => [machine, owner] as const)),
    );
    for (const { machine } of (await this.#states.ofAll()).states)
      if (!known.has(machine)) known.set(machine, l10n.t("has backups in an open repository"));
    return [...[...known].map(([name, detail]) => ({ name, detail })), ...others];
  }

  /** A policy with a mistake in it is as it was before. */
  async #policiesFor({ uri }: TextDocument): Promise<PolicyData[]> {
    const reading = await this.#policies.read(uri).catch(() => undefined);
    if (reading?.kind === "policy") return [reading.lastSound ?? reading.data];
    return (await this.#policies.soundPolicies()).map(({ data }) => data);
  }
}
