// What the rows of the Repositories view are made of, asked for a page at a time.

import type { OpenRepositories } from "../repositories/openRepositories.js";
import type { ServiceClient } from "../service/client.js";
import type { AnswerOf, MachinePage, ReadingData, SnapshotPage } from "../service/protocol.js";
import type { EntryNode, MachineNode, RepositoryNode, SnapshotNode } from "./nodes.js";
import type { ReadingPace } from "./readingPace.js";

/** One page of a list; a list that shows more is made of several. */
const PAGE = 1000;

export class TreeLists {
  readonly #client: ServiceClient;
  readonly #repositories: OpenRepositories;
  readonly #pace: ReadingPace;
  /** Of machines and snapshots; the empty text leaves all. */
  filter = "";

  constructor(client: ServiceClient, repositories: OpenRepositories, pace: ReadingPace) {
    this.#client = client;
    this.#repositories = repositories;
    this.#pace = pace;
  }

  /** What has been read so far, unless all of it was shown before: then nothing less is. */
  async machines(
    { configured }: RepositoryNode,
    namespace: string,
    shown: number,
  ): Promise<MachinePage & { encrypted: boolean }> {
    const { location } = configured;
    return await this.#repositories.use(configured, async ({ handle, encrypted }) => {
      const about = { repository: handle, namespace, filter: this.filter, ...this.#pace.patience(location, handle) };
      const page = await pages(shown, (offset, limit) => this.#client.call("machines", { ...about, offset, limit }));
      if (page.reading === null) this.#pace.isWhole(location, handle);
      return { ...page, encrypted };
    });
  }

  async snapshots({ repository, machine, shown }: MachineNode): Promise<SnapshotPage> {
    const { configured } = repository;
    return await this.#repositories.use(configured, ({ handle }) => {
      const patience = this.#pace.patience(configured.location, handle);
      const about = { repository: handle, machine: machine.machine, filter: this.filter, ...patience };
      return pages(shown, (offset, limit) => this.#client.call("snapshots", { ...about, offset, limit }));
    });
  }

  /** Disks and folders of a snapshot, or what is in one of them. */
  async entries(
    { repository, snapshot }: SnapshotNode,
    path: string,
    { filter, shown }: Pick<EntryNode, "filter" | "shown">,
  ): Promise<AnswerOf<"list"> & { repositoryId: string }> {
    return await this.#repositories.use(repository.configured, async ({ handle, repositoryId }) => {
      const place = { repository: handle, snapshot: snapshot.snapshotId, path, filter };
      const list = (offset: number, limit: number) => this.#client.call("list", { ...place, offset, limit });
      return { repositoryId, ...(await pages(shown, list)) };
    });
  }

  /** Resolves when the catalog that is being read has been read, however that ended. */
  async untilRead({ configured }: RepositoryNode): Promise<void> {
    const whole = this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("machines", { repository: handle, namespace: "", offset: 0, limit: 0 }),
    );
    await whole.catch(() => {});
  }

  /** What the storage has now. */
  async readAgain({ configured }: RepositoryNode): Promise<void> {
    const refreshed = this.#repositories.use(configured, ({ handle }) =>
      this.#client.call("catalog", { repository: handle, refresh: true }),
    );
    // what fails is shown by its row
    await refreshed.catch(() => {});
  }
}

/** The first `shown` of a list, with what its last page says besides. */
async function pages<P extends { items: readonly unknown[]; total: number; reading?: ReadingData | null }>(
  shown: number,
  ask: (offset: number, limit: number) => Promise<P>,
): Promise<P> {
  const items: P["items"][number][] = [];
  for (;;) {
    const page = await ask(items.length, Math.min(PAGE, shown - items.length));
    items.push(...page.items);
    const isComplete = page.items.length === 0 || items.length >= Math.min(shown, page.total);
    // what is still being read changes from page to page
    if (page.reading || isComplete) return { ...page, items };
  }
}
