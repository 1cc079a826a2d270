// Who may import whom. A room is a folder (or one file); each imports itself and the rooms named here, nothing else.
// A new edge is a design decision: write docs/adr/NNNN-*.md first, then add it here.

export interface Room {
  /** A file when it ends with `.ts`, else a folder. The longest match wins. */
  path: string;
  mayImport: string[];
}

// No node:*, no npm package, no types of Node: they compile under tsconfig.pure.json.
const pure = ["core/errors.ts", "core/format", "core/chunking"];

const ground = [
  ...pure,
  "core/calendar",
  "core/hash",
  "core/codec",
  "core/crypto",
  "core/platform",
  "core/yaml",
  "core/report",
];
const edges = ["core/storage", "core/source", "core/nbd", "core/filesystem", "core/hypervisor", "core/git"];
const operations = [
  "core/backup",
  "core/restore",
  "core/verify",
  "core/retention",
  "core/forget",
  "core/gc",
  "core/repair",
  "core/stats",
  "core/sync",
  "core/roles",
  "core/doctor",
  "core/evidence",
  "core/restoreTest",
  "core/config",
  "core/evidenceBranch",
  "core/gate",
  "core/jobReport",
  "core/jobs",
  "core/export",
  "core/files",
];
/** Plain types that the protocol between the editor's side and its worker is made of. */
const serviceParts = ["overview", "actions", "policy", "compare", "restore", "search"].map(
  (part) => `extension/service/${part}Protocol.ts`,
);
const belowOperations = [...ground, ...edges, "core/repository", "core/engine"];

export const purePaths = [
  ...pure,
  "core/calendar",
  "core/retention",
  "core/roles",
  "core/gc/planGc.ts",
  "core/sync/planSync.ts",
];

export const rooms: Room[] = [
  // ground
  { path: "core/errors.ts", mayImport: [] },
  { path: "core/format", mayImport: ["core/errors.ts"] },
  { path: "core/chunking", mayImport: ["core/errors.ts", "core/format"] },
  { path: "core/calendar", mayImport: ["core/errors.ts"] },
  { path: "core/platform", mayImport: ["core/errors.ts"] },
  { path: "core/yaml", mayImport: ["core/errors.ts", "core/platform"] },
  { path: "core/report", mayImport: ["core/errors.ts", "core/format"] },
  { path: "core/hash", mayImport: [...pure, "core/platform"] },
  { path: "core/codec", mayImport: [...pure, "core/platform", "core/hash"] },
  { path: "core/crypto", mayImport: [...pure, "core/platform", "core/hash", "core/codec"] },

  // edges
  { path: "core/storage", mayImport: ground },
  { path: "core/nbd", mayImport: ground },
  { path: "core/source", mayImport: [...ground, "core/nbd"] },
  { path: "core/filesystem", mayImport: [...ground, "core/source"] },
  { path: "core/git", mayImport: ground },
  { path: "core/hypervisor", mayImport: [...ground, "core/nbd", "core/source"] },

  // repository: knows what a backend is, and none by name
  { path: "core/repository", mayImport: [...ground, "core/storage/backend.ts"] },

  // engine: threads and what flows between them; the worker's entry file alone knows the lanes of the operations
  { path: "core/engine", mayImport: [...ground, ...edges, "core/repository"] },
  {
    path: "core/engine/worker.ts",
    mayImport: [...ground, ...edges, "core/repository", "core/engine", "core/backup", "core/restore", "core/verify"],
  },

  // operations
  { path: "core/retention", mayImport: [...pure, "core/calendar"] },
  { path: "core/gc/planGc.ts", mayImport: pure },
  { path: "core/backup", mayImport: belowOperations },
  { path: "core/restore", mayImport: belowOperations },
  { path: "core/verify", mayImport: belowOperations },
  { path: "core/forget", mayImport: [...belowOperations, "core/retention"] },
  { path: "core/gc", mayImport: [...belowOperations, "core/retention"] },
  { path: "core/repair", mayImport: [...belowOperations, "core/backup", "core/restore", "core/sync", "core/verify"] },
  { path: "core/stats", mayImport: belowOperations },
  { path: "core/sync/planSync.ts", mayImport: pure },
  { path: "core/sync", mayImport: [...belowOperations, "core/backup", "core/forget", "core/restore"] },
  { path: "core/roles", mayImport: pure },
  { path: "core/doctor", mayImport: belowOperations },
  { path: "core/files", mayImport: [...belowOperations, "core/restore"] },
  { path: "core/export", mayImport: [...belowOperations, "core/restore"] },
  { path: "core/evidence", mayImport: ground },
  {
    path: "core/restoreTest",
    mayImport: [...belowOperations, "core/evidence", "core/files", "core/restore", "core/verify", "schemas"],
  },
  // opens what it describes: a storage, its repository, keys
  {
    path: "core/config",
    mayImport: [
      ...belowOperations,
      "core/backup/archiveNames.ts",
      "core/evidence",
      "core/restoreTest",
      "core/retention",
      "schemas",
    ],
  },
  { path: "core/evidenceBranch", mayImport: [...ground, "core/git", "core/evidence", "core/repository"] },
  {
    path: "core/gate",
    mayImport: [...belowOperations, "core/config", "core/evidence", "core/evidenceBranch", "core/jobReport"],
  },
  { path: "core/jobReport", mayImport: [...ground, "core/evidence"] },
  { path: "core/jobs", mayImport: [...belowOperations, ...operations] },

  // the door, and the faces that stand before it
  { path: "core/index.ts", mayImport: [...belowOperations, ...operations] },
  { path: "cli", mayImport: ["core/index.ts"] },
  // the editor's side never loads the core: that is in the service's worker, behind the client
  {
    path: "extension",
    mayImport: [
      "extension/model",
      "extension/service/client.ts",
      "extension/service/protocol.ts",
      ...serviceParts,
      // small and pure: what makes text harmless in markup stands once (docs/adr/0066-one-markup.md)
      "core/report/markup.ts",
    ],
  },
  {
    path: "extension/model",
    mayImport: ["extension/service/protocol.ts", "core/report/markup.ts", ...serviceParts],
  },
  { path: "extension/service", mayImport: ["core/index.ts"] },
  { path: "extension/service/client.ts", mayImport: ["extension/service/protocol.ts"] },
  { path: "extension/service/protocol.ts", mayImport: serviceParts },
  ...serviceParts.map((path) => ({ path, mayImport: [] })),
  { path: "action", mayImport: ["core/index.ts"] },

  // not part of the product
  { path: "bench", mayImport: ["core"] },
  { path: "test", mayImport: ["core", "cli", "extension", "action", "bench"] },
];

/** npm packages that only some rooms may name. Tests may name all. */
export const packagesByRoom: { pattern: RegExp; rooms: string[] }[] = [
  { pattern: /^vscode$/, rooms: ["extension"] },
  { pattern: /^@actions\//, rooms: ["action"] },
];

export function isInside(path: string, roomPath: string): boolean {
  return path === roomPath || (!roomPath.endsWith(".ts") && path.startsWith(`${roomPath}/`));
}

/** The most specific room that holds a file. */
export function roomOf(path: string): Room | undefined {
  const holders = rooms.filter((room) => isInside(path, room.path));
  return holders.sort((a, b) => b.path.length - a.path.length)[0];
}

/** Whether the table lets `from` import `to`; both are project paths. A file without a room is another test's matter. */
export function isAllowedEdge(from: string, to: string): boolean {
  const room = roomOf(from);
  const target = roomOf(to);
  if (room === undefined || room === target) return true;
  // a file that is a room of its own still belongs to its folder
  if (target?.path.endsWith(".ts") && isInside(target.path, room.path)) return true;
  return room.mayImport.some((allowed) => isInside(to, allowed));
}
