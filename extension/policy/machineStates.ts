// How the machines of open repositories stand, for code lenses, hovers and diagnostics. Nothing is opened for it, and nothing is
// asked twice within a minute.

import { type Disposable, type Event, EventEmitter, type Uri, workspace } from "vscode";
import { expandLocation } from "../repositories/configured.js";
import type { OpenedRepository, OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { MachineStateData, PolicyData } from "../service/policyProtocol.js";
import type { Handle } from "../service/protocol.js";

const FRESH_MS = 60_000;

export interface PolicyPlace {
  uri: Uri;
  text: string;
  data: PolicyData;
}

export class MachineStates implements Disposable {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #known = new Map<string, { atMs: number; states: Promise<readonly MachineStateData[]> }>();
  /** When what the service knows of a repository was last as new as its storage; the first answer comes from what the tree has read. */
  readonly #readAtMs = new Map<Handle, number>();
  readonly #changed = new EventEmitter<void>();
  readonly #listeners: Disposable[];
  readonly onDidChange: Event<void> = this.#changed.event;

  constructor(client: ServiceClient, repositories: OpenRepositories) {
    this.#client = client;
    this.#repositories = repositories;
    this.#listeners = [
      repositories.onDidChange(() => this.forget()),
      repositories.onDidChangeContents(() => this.forget()),
    ];
  }

  dispose(): void {
    for (const listener of this.#listeners) listener.dispose();
    this.#changed.dispose();
  }

  /** After a test, or another repository. */
  forget(): void {
    this.#known.clear();
    this.#changed.fire();
  }

  /** What other programs have done counts, too. */
  refresh(): void {
    for (const handle of this.#readAtMs.keys()) this.#readAtMs.set(handle, 0);
    this.forget();
  }

  /** By the expectations of a policy, where it names the repository. */
  async of(opened: OpenedRepository, policy: PolicyPlace | undefined): Promise<readonly MachineStateData[]> {
    const name = policy && repositoryNameOf(policy.data, opened.configured.location);
    const key = name === undefined ? `${opened.handle}` : `${opened.handle} ${policy?.uri} ${name} ${policy?.text}`;
    const known = this.#known.get(key);
    if (known !== undefined && Date.now() - known.atMs < FRESH_MS) return await known.states;
    const states = this.#client.call("machineStates", {
      repository: opened.handle,
      refresh: this.#isOld(opened.handle),
      policy:
        policy === undefined || name === undefined
          ? null
          : { path: policy.uri.fsPath, text: policy.text, trusted: workspace.isTrusted, repositoryName: name },
    });
    this.#known.set(key, { atMs: Date.now(), states });
    states.catch(() => this.#known.delete(key));
    return await states;
  }

  /** Of all repositories of a policy that are open now; of one that cannot be read, nothing. */
  async ofPolicy(policy: PolicyPlace): Promise<MachineStateData[]> {
    const opened = await this.openOf(policy.data.repositories);
    const found = await Promise.all(opened.map((each) => this.of(each, policy).catch(() => [])));
    return found.flat();
  }

  /** Of every repository that is open now. */
  async ofAll(): Promise<MachineStateData[]> {
    const opened = await this.#repositories.openNow(() => true);
    const found = await Promise.all(opened.map((each) => this.of(each, undefined).catch(() => [])));
    return found.flat();
  }

  #isOld(handle: Handle): boolean {
    const nowMs = Date.now();
    const readAtMs = this.#readAtMs.get(handle);
    const isOld = readAtMs !== undefined && nowMs - readAtMs >= FRESH_MS;
    if (isOld || readAtMs === undefined) this.#readAtMs.set(handle, nowMs);
    return isOld;
  }

  openOf(repositories: PolicyData["repositories"]): Promise<OpenedRepository[]> {
    const locations = repositories.flatMap(({ location }) => (location === null ? [] : [location]));
    return this.#repositories.openNow((location) => locations.some((each) => isSameLocation(each, location)));
  }
}

/** What the policy calls the repository of a location in the settings. */
export function repositoryNameOf({ repositories }: PolicyData, location: string): string | undefined {
  return repositories.find((each) => each.location !== null && isSameLocation(each.location, location))?.name;
}

export function isSameLocation(a: string, b: string): boolean {
  const plain = (location: string) =>
    expandLocation(location)
      .replace(/^file:(\/\/)?/, "")
      .replace(/\/+$/, "");
  return plain(a) === plain(b);
}
