// How the machines of open repositories stand, for code lenses, hovers and diagnostics. Nothing is opened for it, and nothing is
// asked twice within a minute.

import { type Disposable, type Event, EventEmitter, type LogOutputChannel, type Uri, workspace } from "vscode";
import { errorText } from "../adapt/errors.js";
import { isSameLocation } from "../model/location.js";
import type { ServiceStops } from "../model/serviceStops.js";
import type { OpenedRepository, OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { MachineStateData, PolicyData } from "../service/policyProtocol.js";

const FRESH_MS = 60_000;

export interface PolicyPlace {
  uri: Uri;
  text: string;
  data: PolicyData;
}

/** `problems`: of repositories that are open and could not be read, each a sentence. What they have is not known then. */
export interface FoundStates {
  /** How many repositories were asked. */
  asked: number;
  states: readonly MachineStateData[];
  problems: readonly string[];
}

interface Known {
  /** Of the policy. */
  text: string | undefined;
  atMs: number;
  states: Promise<readonly MachineStateData[]>;
}

export interface MachineStatesParts {
  client: ServiceClient;
  repositories: OpenRepositories;
  stops: ServiceStops;
  log: LogOutputChannel;
}

export class MachineStates implements Disposable {
  readonly #parts: MachineStatesParts;
  /** One for each repository and policy. */
  readonly #known = new Map<string, Known>();
  /** What was last said of a repository that could not be read, by location. */
  readonly #said = new Map<string, string>();
  readonly #changed = new EventEmitter<void>();
  readonly #listeners: Disposable[];
  #refreshedAtMs = 0;
  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(parts: MachineStatesParts) {
    this.#parts = parts;
    this.#listeners = [
      parts.repositories.onDidChange(() => this.forget()),
      parts.repositories.onDidChangeContents(() => this.forget()),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
    this.#changed.dispose();
  }

  /** After a test, or another repository. */
  forget(): void {
    this.#known.clear();
    if (!this.#parts.stops.isEndless(Date.now())) this.#changed.fire();
  }

  /** What other programs have done until now counts, too. */
  refresh(): void {
    this.#refreshedAtMs = Date.now();
    this.forget();
  }

  /** By the expectations of a policy, where it names the repository. */
  async of(opened: OpenedRepository, policy: PolicyPlace | undefined): Promise<readonly MachineStateData[]> {
    const name = policy && repositoryNameOf(policy.data, opened.configured.location);
    const key = name === undefined ? `${opened.handle}` : `${opened.handle} ${policy?.uri}`;
    const text = name === undefined ? undefined : policy?.text;
    const known = this.#known.get(key);
    if (known !== undefined && known.text === text && Date.now() - known.atMs < FRESH_MS) return await known.states;
    const nowMs = Date.now();
    const states = this.#parts.client.call("machineStates", {
      repository: opened.handle,
      maxAgeMs: Math.min(FRESH_MS, nowMs - this.#refreshedAtMs),
      policy:
        policy === undefined || name === undefined
          ? null
          : { path: policy.uri.fsPath, text: policy.text, trusted: workspace.isTrusted, repositoryName: name },
    });
    this.#known.set(key, { text, atMs: nowMs, states });
    states.catch(() => {
      if (this.#known.get(key)?.states === states) this.#known.delete(key);
    });
    return await states;
  }

  /** Of all repositories of a policy that are open now. */
  async ofPolicy(policy: PolicyPlace): Promise<FoundStates> {
    return await this.#ofEach(await this.openOf(policy.data.repositories), policy);
  }

  /** Of every repository that is open now. */
  async ofAll(): Promise<FoundStates> {
    return await this.#ofEach(await this.#parts.repositories.openNow(() => true), undefined);
  }

  async #ofEach(opened: readonly OpenedRepository[], policy: PolicyPlace | undefined): Promise<FoundStates> {
    const problems: string[] = [];
    const found = opened.map(async (each) => {
      const { location, name } = each.configured;
      try {
        const states = await this.of(each, policy);
        this.#said.delete(location);
        return states;
      } catch (error) {
        const problem = `${name}: ${errorText(error)}`;
        problems.push(problem);
        // once for each cause
        if (this.#said.get(location) !== problem) this.#parts.log.warn(problem);
        this.#said.set(location, problem);
        return [];
      }
    });
    return { asked: opened.length, states: (await Promise.all(found)).flat(), problems };
  }

  openOf(repositories: PolicyData["repositories"]): Promise<OpenedRepository[]> {
    const locations = repositories.flatMap(({ location }) => (location === null ? [] : [location]));
    return this.#parts.repositories.openNow((location) => locations.some((each) => isSameLocation(each, location)));
  }
}

/** What the policy calls the repository of a location in the settings. */
export function repositoryNameOf({ repositories }: PolicyData, location: string): string | undefined {
  return repositories.find((each) => each.location !== null && isSameLocation(each.location, location))?.name;
}
