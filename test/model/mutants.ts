// Broken protocols, made by lying to the product's code about the storage: each mutant is a backend that changes what one
// process sends or hears. The explorer must find the loss in each; otherwise it would prove nothing.

import { folder, type Sid } from "../../core/format/ids.js";
import type { Backend, ObjectInfo } from "../../core/storage/backend.js";
import { collect } from "../support/listing.js";
import type { Phase, Program } from "./processTree.js";

export type Mutation = (backend: Backend) => Backend;

/**
 * The program on the mutated storage. What the mutation remembers lasts for one phase. `forgets`: the mutation remembers
 * nothing that the program's own forgetting would lose.
 */
export function mutated(program: Program, mutate: Mutation, { forgets = false } = {}): Program {
  const phases = program.phases.map(
    (phase): Phase =>
      (backend, input) =>
        phase(mutate(backend), input),
  );
  return { phases, forgetsBefore: forgets ? program.forgetsBefore : undefined };
}

function changed(backend: Backend, changes: Partial<Backend>): Backend {
  const same: Backend = {
    location: backend.location,
    get: (key, options) => backend.get(key, options),
    stat: (key, options) => backend.stat(key, options),
    put: (key, bytes, options) => backend.put(key, bytes, options),
    putIfAbsent: (key, bytes, options) => backend.putIfAbsent(key, bytes, options),
    list: (prefix, options) => backend.list(prefix, options),
    delete: (key, options) => backend.delete(key, options),
    close: () => backend.close(),
  };
  return { ...same, ...changes };
}

/** Writer without W1. */
export const noAnnouncement: Mutation = (backend) =>
  changed(backend, {
    put: async (key, bytes) => {
      if (!key.startsWith(folder.sessions)) await backend.put(key, bytes);
    },
  });

/** Writer with W1 after W3. */
export const lateAnnouncement: Mutation = (backend) => {
  let held: { key: string; bytes: Uint8Array } | undefined;
  return changed(backend, {
    put: async (key, bytes) => {
      if (key.startsWith(folder.sessions)) held = { key, bytes };
      else await backend.put(key, bytes);
    },
    list: async function* (prefix) {
      const infos = await collect(backend.list(prefix));
      if (prefix === folder.packs && held !== undefined) await backend.put(held.key, held.bytes);
      yield* infos;
    },
  });
};

/** Writer with W3 before W2. */
export const packsBeforePlans: Mutation = (backend) => {
  let packs: ObjectInfo[] | undefined;
  return changed(backend, {
    list: async function* (prefix) {
      if (prefix === folder.gc) packs = await collect(backend.list(folder.packs));
      yield* prefix === folder.packs && packs !== undefined ? packs : backend.list(prefix);
    },
  });
};

/** Writer that lists plans and finals once, although a listing takes time. */
export const oneListing: Mutation = (backend) => {
  let looks = 0;
  return changed(backend, {
    list: async function* (prefix) {
      if (prefix !== folder.gc || looks++ === 0) yield* backend.list(prefix);
    },
  });
};

/** Writer whose W6 overwrites what was decided. */
export const plainCommit: Mutation = (backend) =>
  changed(backend, {
    putIfAbsent: async (key, bytes) => {
      if (!key.startsWith(folder.snapshots)) return backend.putIfAbsent(key, bytes);
      await backend.put(key, bytes);
      return "created";
    },
  });

/** Collector without G3 and G4. */
export const noBarrier: Mutation = (backend) =>
  changed(backend, {
    list: async function* (prefix) {
      if (prefix !== folder.sessions) yield* backend.list(prefix);
    },
  });

/** Collector whose G6 and G7 see what was there before its plan. */
export const noSecondLook: Mutation = (backend) => {
  const first = new Map<string, ObjectInfo[]>();
  return changed(backend, {
    put: async (key, bytes) => {
      if (key.endsWith(".plan")) {
        for (const prefix of [folder.packs, folder.snapshots]) first.set(prefix, await collect(backend.list(prefix)));
      }
      await backend.put(key, bytes);
    },
    list: async function* (prefix) {
      yield* first.get(prefix) ?? backend.list(prefix);
    },
  });
};

/** Collector that does not look at other plans and finals. */
export const othersIgnored =
  (gid: Sid): Mutation =>
  (backend) =>
    changed(backend, {
      list: async function* (prefix) {
        for await (const info of backend.list(prefix)) {
          if (prefix !== folder.gc || info.key.includes(gid)) yield info;
        }
      },
    });

/** Every executor of a plan decides for itself: its final is seen by nobody else, and it sees no other. */
export const ownDecision: Mutation = (backend) => {
  const own = new Map<string, Uint8Array>();
  const isFinal = (key: string) => key.endsWith(".final");
  return changed(backend, {
    putIfAbsent: async (key, bytes) => {
      if (!isFinal(key)) return backend.putIfAbsent(key, bytes);
      own.set(key, bytes.slice());
      await backend.putIfAbsent(key, bytes);
      return "created";
    },
    get: async (key, options) => {
      if (!isFinal(key)) return backend.get(key, options);
      const bytes = own.get(key);
      return bytes === undefined ? backend.get(`${key}.none`) : bytes.slice();
    },
  });
};

/** Collector that removes the final together with the plan. */
export const finalDropped: Mutation = (backend) =>
  changed(backend, {
    delete: async (key) => {
      await backend.delete(key);
      if (key.endsWith(".plan")) await backend.delete(key.replace(/plan$/, "final"));
    },
  });

/** Forgetting removes the decision instead of adding an object. */
export const forgetDeletes: Mutation = (backend) =>
  changed(backend, {
    putIfAbsent: async (key) => {
      await backend.delete(key.replace(folder.forgotten, folder.snapshots));
      return "created";
    },
  });
